package list

import (
	"container/heap"
	"slices"
)

const (
	// sorterBytes is the memory of the entries that a KeySorter sorts at once: some 100,000 of them.
	sorterBytes = 16 << 20

	// mergeMax is how many files are merged at once. Each has a buffer of bufferBytes.
	mergeMax = 64

	// entryBytes is the memory of an Entry beside its texts.
	entryBytes = 96

	// detailsBytes is that of the Details of a version.
	detailsBytes = 96
)

// KeySorter makes Keys of any number of entries, in memory that does not grow with them. What is too much for the
// memory it sorts in parts, writes the parts to temporary files, and merges these. One goroutine uses a KeySorter.
type KeySorter struct {
	memory  int // bytes of entries that are sorted at once
	fanIn   int // files that are merged at once
	entries []Entry
	bytes   int
	parts   [][]*keyFile // files, oldest first; those of one level were merged equally often, the first level least
}

// NewKeySorter returns a KeySorter without entries.
func NewKeySorter() *KeySorter { return &KeySorter{memory: sorterBytes, fanIn: mergeMax} }

// Add adds an entry. Of entries with the same key, the last one counts. Its error is that of a temporary file.
func (s *KeySorter) Add(e Entry) error {
	s.entries = append(s.entries, e)
	s.bytes += entryBytes
	if e.Details != nil {
		s.bytes += detailsBytes
	}
	for _, text := range entryTexts(&e) {
		s.bytes += len(text)
	}
	if s.bytes < s.memory {
		return nil
	}
	return s.spill()
}

// spill writes the entries in memory to a file.
func (s *KeySorter) spill() error {
	file, err := writeKeyFile(&sliceReader{sortedEntries(s.entries)})
	if err != nil {
		return err
	}
	clear(s.entries)
	s.entries, s.bytes = s.entries[:0], 0
	return s.addPart(0, file)
}

// addPart adds a file to a level. It merges the files of a full level into one of the next level.
func (s *KeySorter) addPart(level int, file *keyFile) error {
	if level == len(s.parts) {
		s.parts = append(s.parts, nil)
	}
	s.parts[level] = append(s.parts[level], file)
	if len(s.parts[level]) < s.fanIn {
		return nil
	}
	merged, err := mergeKeyFiles(s.parts[level])
	if err != nil {
		return err
	}
	s.closeLevel(level)
	return s.addPart(level+1, merged)
}

// Keys returns the Keys of all added entries. The KeySorter is empty then.
func (s *KeySorter) Keys() (*Keys, error) {
	if len(s.parts) == 0 {
		keys := &Keys{entries: sortedEntries(s.entries)}
		s.entries, s.bytes = nil, 0
		return keys, nil
	}
	if err := s.spill(); err != nil {
		return nil, err
	}
	s.entries = nil
	var all []*keyFile // oldest first: a file of a higher level is older
	for _, level := range slices.Backward(s.parts) {
		all = append(all, level...)
	}
	file, err := mergeKeyFiles(all)
	if err != nil {
		return nil, err
	}
	s.Close()
	return &Keys{file: file}, nil
}

// Close removes the files of a KeySorter whose Keys were not asked for.
func (s *KeySorter) Close() {
	for level := range s.parts {
		s.closeLevel(level)
	}
	s.parts = nil
}

func (s *KeySorter) closeLevel(level int) {
	for _, file := range s.parts[level] {
		file.close()
	}
	s.parts[level] = nil
}

// mergeKeyFiles returns a file with the entries of all files, which are in the order of age, oldest first.
func mergeKeyFiles(files []*keyFile) (*keyFile, error) {
	m := &merger{}
	for age, file := range files {
		part := &mergedPart{in: file.reader(), age: age}
		if err := part.advance(); err != nil {
			return nil, err
		}
		if part.next != nil {
			m.parts = append(m.parts, part)
		}
	}
	heap.Init(m)
	return writeKeyFile(m)
}

// merger reads the entries of several files in the order of keys. Of entries with the same key it reads that of the
// youngest file. It is a heap.Interface whose first part has the next entry.
type merger struct{ parts []*mergedPart }

// mergedPart is one of the files. A file has each key once.
type mergedPart struct {
	in   *keyFileReader
	age  int // smaller is older
	next *Entry
}

func (p *mergedPart) advance() (err error) {
	p.next, err = p.in.read()
	return err
}

func (m *merger) Len() int      { return len(m.parts) }
func (m *merger) Swap(i, j int) { m.parts[i], m.parts[j] = m.parts[j], m.parts[i] }
func (m *merger) Push(any)      {} // a part is never added

// Less orders parts by key, and equal keys by age.
func (m *merger) Less(i, j int) bool {
	a, b := m.parts[i], m.parts[j]
	order := compareEntries(a.next, b.next)
	return order < 0 || order == 0 && a.age < b.age
}

// Pop removes the last part, which heap.Pop has exchanged with the first.
func (m *merger) Pop() any {
	last := len(m.parts) - 1
	part := m.parts[last]
	m.parts = m.parts[:last]
	return part
}

func (m *merger) read() (*Entry, error) {
	for len(m.parts) > 0 {
		first := m.parts[0]
		e := first.next
		if err := first.advance(); err != nil {
			return nil, err
		}
		if first.next == nil {
			heap.Pop(m)
		} else {
			heap.Fix(m, 0)
		}
		if len(m.parts) == 0 || compareEntries(m.parts[0].next, e) != 0 {
			return e, nil
		}
	}
	return nil, nil
}
