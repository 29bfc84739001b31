package list

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"sort"

	"headcount/scan/exit"
)

// keyFile is entries in the order of keys, in a temporary file. It may be read concurrently.
type keyFile struct {
	f     *os.File
	named bool // the file has a name: the system cannot remove an open file
	size  int64
	hash  string      // of all keys; empty in a file that is only merged
	index []keyOffset // in the order of keys
}

// keyOffset is where an entry is in a keyFile.
type keyOffset struct {
	at     Place
	offset int64
}

// indexEvery is how many entries follow each other without a place in the index: so few that a Range is found in
// milliseconds, and so many that the index of ten million keys takes less than 100 KB.
const indexEvery = 1 << 14

// keyFileError returns the error of a temporary file.
func keyFileError(err error) error {
	return exit.WithHint(fmt.Errorf("sort the keys: %w", err), "TMPDIR names the folder of the temporary files")
}

// writeKeyFile writes the entries of r to a temporary file. It has no name while it is used, where the system allows
// that, so that nothing is left of a killed process.
func writeKeyFile(r entryReader) (*keyFile, error) {
	f, err := os.CreateTemp("", "headcount-keys-")
	if err != nil {
		return nil, keyFileError(err)
	}
	k := &keyFile{f: f, named: os.Remove(f.Name()) != nil}
	if err := k.write(r); err != nil {
		k.close()
		return nil, err
	}
	return k, nil
}

func (k *keyFile) write(r entryReader) error {
	w := bufio.NewWriterSize(k.f, bufferBytes)
	h := newKeyHash()
	var encoded []byte
	for n := 0; ; n++ {
		e, err := r.read()
		if err != nil {
			return err
		}
		if e == nil {
			break
		}
		if n%indexEvery == 0 {
			k.index = append(k.index, keyOffset{Place{e.Key, e.VersionID()}, k.size})
		}
		h.add(e)
		encoded = appendEntry(encoded[:0], e)
		k.size += int64(len(encoded))
		if _, err := w.Write(encoded); err != nil {
			return keyFileError(err)
		}
	}
	k.hash = h.String()
	if err := w.Flush(); err != nil {
		return keyFileError(err)
	}
	return nil
}

func (k *keyFile) close() {
	_ = k.f.Close() // it is only read, and is removed
	if k.named {
		_ = os.Remove(k.f.Name()) // in the folder that the system empties
	}
}

// bufferBytes is the size of the buffer of each open keyFile: what a disk reads at once.
const bufferBytes = 64 << 10

// reader returns a reader of all entries.
func (k *keyFile) reader() *keyFileReader { return k.readerAt(0) }

// readerAfter returns a reader of the entries behind a place, and of some before it.
func (k *keyFile) readerAfter(at Place) *keyFileReader {
	i := sort.Search(len(k.index), func(i int) bool {
		of := k.index[i].at
		return of.Key > at.Key || of.Key == at.Key && at.Version != "" && of.Version > at.Version
	})
	if i == 0 {
		return k.reader()
	}
	return k.readerAt(k.index[i-1].offset)
}

func (k *keyFile) readerAt(offset int64) *keyFileReader {
	return &keyFileReader{in: bufio.NewReaderSize(io.NewSectionReader(k.f, offset, k.size-offset), bufferBytes)}
}

// keyFileReader reads the entries of a keyFile.
type keyFileReader struct {
	in   *bufio.Reader
	text []byte // of the last entry
}

// appendEntry appends the size and the texts of an entry, each with its length before it.
func appendEntry(dst []byte, e *Entry) []byte {
	dst = binary.AppendVarint(dst, e.Size)
	for _, text := range entryTexts(e) {
		dst = binary.AppendUvarint(dst, uint64(len(text)))
	}
	for _, text := range entryTexts(e) {
		dst = append(dst, text...)
	}
	return dst
}

// keyFileTexts is the number of texts of an entry.
const keyFileTexts = 6

func entryTexts(e *Entry) [keyFileTexts]string {
	return [...]string{e.Key, e.Encoded, e.ETag, e.LastModified, e.StorageClass, e.VersionID()}
}

func (r *keyFileReader) read() (*Entry, error) {
	size, err := binary.ReadVarint(r.in)
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	e := &Entry{Size: size}
	var lengths [keyFileTexts]uint64
	total := uint64(0)
	for i := range lengths {
		if err == nil {
			lengths[i], err = binary.ReadUvarint(r.in)
		}
		total += lengths[i]
	}
	if err == nil {
		r.text = append(r.text[:0], make([]byte, total)...)
		_, err = io.ReadFull(r.in, r.text)
	}
	if err != nil {
		return nil, keyFileError(err)
	}
	rest, version := string(r.text), "" // one allocation for all texts
	for i, text := range [...]*string{&e.Key, &e.Encoded, &e.ETag, &e.LastModified, &e.StorageClass, &version} {
		*text, rest = rest[:lengths[i]], rest[lengths[i]:]
	}
	if version != "" {
		e.Details = &Details{VersionID: version}
	}
	return e, nil
}
