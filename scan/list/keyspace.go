package list

import (
	"math"
	"math/bits"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

const (
	// learnStep is how many keys of a page are passed over for each that is looked at: neighbours part at the last characters of a
	// key, and those further from each other at the earlier ones too, where Ranges are split.
	learnStep = 16

	// alphabetMax bounds what is learnt of keys in scripts of many characters.
	alphabetMax = 512

	// positionRunes is how many characters of a guess are computed: as many as a float64 can tell apart.
	positionRunes = 8
)

// alphabet are the characters at which neighbouring keys part, in order: of keys that count, the digits, however much else there is in
// them. A place between two keys is written with them, since other characters would often lead into the void. The zero marks are none. They may be
// used concurrently.
type alphabet struct {
	mu    sync.RWMutex
	runes []rune
}

// learn takes in the keys of a page.
func (m *alphabet) learn(entries []Entry) {
	for i := learnStep; i < len(entries); i += learnStep {
		a, b := entries[i-learnStep].Key, entries[i].Key
		n := commonPrefix(a, b)
		m.add(a[n:])
		m.add(b[n:])
	}
}

// add takes in the character with which text begins.
func (m *alphabet) add(text string) {
	r, _ := utf8.DecodeRuneInString(text)
	if text == "" || !isPortable(r) {
		return
	}
	m.mu.RLock()
	_, isKnown := slices.BinarySearch(m.runes, r)
	m.mu.RUnlock()
	if isKnown {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if at, isKnown := slices.BinarySearch(m.runes, r); !isKnown && len(m.runes) < alphabetMax {
		m.runes = slices.Insert(m.runes, at, r)
	}
}

// contains says whether keys part at r.
func (m *alphabet) contains(r rune) bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	_, isKnown := slices.BinarySearch(m.runes, r)
	return isKnown
}

// isPortable says whether every store takes a key with that character: what XML cannot carry is refused by some, and a
// percent sign is decoded twice by others.
func isPortable(r rune) bool { return unicode.IsPrint(r) && r != utf8.RuneError && r != '%' }

// position is where text lies among all texts in these characters, from 0 to 1: the digits of a number to the base of so many
// characters and the end of a text.
func (m *alphabet) position(text string) float64 {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var (
		base  = float64(len(m.runes) + 1)
		unit  = 1.0
		place float64
	)
	for range positionRunes {
		r, size := utf8.DecodeRuneInString(text)
		if size == 0 {
			break
		}
		text = text[size:]
		unit /= base
		place += m.digit(r) * unit
	}
	return min(place, 1)
}

// digit is where r lies among the marks: the n-th is n, and what is none lies between two. m.mu is held.
func (m *alphabet) digit(r rune) float64 {
	at, isKnown := slices.BinarySearch(m.runes, r)
	if isKnown {
		return float64(at + 1)
	}
	low, high := rune(0), scriptEnd(r)
	if at > 0 {
		low = m.runes[at-1]
	}
	if at < len(m.runes) {
		high = m.runes[at]
	}
	return float64(at) + float64(r-low)/float64(high-low)
}

// textAt is the shortest beginning of the text at that place that lies between low and high; empty: there is none.
func (m *alphabet) textAt(place float64, low, high string) string {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if len(m.runes) == 0 {
		return ""
	}
	var b strings.Builder
	for range positionRunes {
		digit, rest := math.Modf(place * float64(len(m.runes)+1))
		place = rest
		b.WriteRune(m.runes[max(0, min(int(digit), len(m.runes))-1)])
		if b.String() > low && (high == "" || b.String() < high) {
			return b.String()
		}
	}
	return ""
}

// nextRune is the next character after r.
func (m *alphabet) nextRune(r rune) rune {
	m.mu.RLock()
	defer m.mu.RUnlock()
	at, isKnown := slices.BinarySearch(m.runes, r)
	if isKnown {
		at++
	}
	if at < len(m.runes) {
		return m.runes[at]
	}
	for r++; r <= unicode.MaxRune; r++ {
		if isPortable(r) {
			return r
		}
	}
	return utf8.RuneError
}

// splitKey is a place in what is left of the Range, other than those that are being tried; empty: there is none, or nothing is known yet.
//
// At first it is one between the cursor and the end: the middle, a quarter, three quarters. Where that brought no more than a sliver, the keys lie
// together, and what they have in common may be long: then the depth is searched at which they part, likewise between where the
// end parts from the cursor and where the keys of the last page do.
func (p *Pager) splitKey(tried []string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := &p.split
	if s.alphabet == nil || p.complete || s.lastKey == "" || !utf8.ValidString(s.lastKey) {
		return ""
	}
	top, ceiling := p.commonLength(), p.upperBound()
	depths := commonPrefix(s.pageFirst, s.lastKey) - top
	isDeep := s.tinySplits > 0 && depths > depthsMin
	for n := range splitKeyTries {
		var guess string
		if part := subdivision(n + 1); isDeep {
			guess = s.alphabet.nextAfter(s.lastKey, ceiling, top+int(part*float64(depths)))
		} else {
			guess = s.alphabet.between(s.lastKey, ceiling, top, part)
		}
		if guess != "" && !slices.Contains(tried, guess) {
			return guess
		}
	}
	return ""
}

const (
	// splitKeyTries is how many places are tried at once in one Range: more are too near to each other, or to the cursor.
	splitKeyTries = 3

	// depthsMin is how many characters are not worth a search: they are among those that the next pages pass anyway.
	depthsMin = 2
)

// subdivision is the n-th of 1/2, 1/4, 3/4, 1/8, 5/8, 3/8, 7/8, …: the sequence of van der Corput, in which all parts of an interval have
// their turn.
func subdivision(n int) float64 {
	return float64(bits.Reverse32(uint32(n))) / (1 << 32)
}

// upperBound is the least that is known to lie beyond all keys of the Range but its last; empty: nothing.
func (p *Pager) upperBound() string {
	if p.split.upperBound != "" {
		return p.split.upperBound
	}
	return p.rng.Through
}

// commonLength is the length of what all keys that are left have in common.
func (p *Pager) commonLength() int {
	if p.upperBound() == "" {
		return len(p.lister.cfg.Prefix)
	}
	return commonPrefix(p.split.lastKey, p.upperBound())
}

// between is a place between low and high, which have so many bytes in common; part of the way is below it. Empty: there is none.
func (m *alphabet) between(low, high string, common int, part float64) string {
	lowRest, highRest := low[common:], ""
	if high != "" {
		highRest = high[common:]
	}
	if r, size := utf8.DecodeRuneInString(lowRest); size > 0 && !m.contains(r) {
		// Nobody knows yet what else stands here: any character may.
		if between := runeBetween(r, highRest, part); between != utf8.RuneError {
			return low[:common] + string(between)
		}
		return m.between(low, "", common+size, part)
	}
	begin, end := m.position(lowRest), 1.0
	if high != "" {
		end = m.position(highRest)
	}
	if text := m.textAt(begin+part*(end-begin), lowRest, highRest); text != "" {
		return low[:common] + text
	}
	if r, size := utf8.DecodeRuneInString(lowRest); size > 0 { // the last mark that is known need not be the last that there is
		if between := runeBetween(r, highRest, part); between != utf8.RuneError {
			return low[:common] + string(between)
		}
	}
	return ""
}

// runeBetween is a character between low and the first of high, or the last of low's script; utf8.RuneError: there is none.
func runeBetween(low rune, high string, part float64) rune {
	end := scriptEnd(low)
	if high != "" {
		end, _ = utf8.DecodeRuneInString(high)
	}
	for r := low + max(1, rune(part*float64(end-low))); r < min(end, unicode.MaxRune); r++ {
		if isPortable(r) {
			return r
		}
	}
	return utf8.RuneError
}

// scriptEnd is behind r, and the characters that may stand beside it.
func scriptEnd(r rune) rune {
	if r < asciiEnd {
		return asciiEnd
	}
	return r + scriptRunes
}

const (
	asciiEnd = 0x7f // what people write keys with ends before it

	// scriptRunes are more than most scripts have.
	scriptRunes = 256
)

// nextAfter is the next after all that begins as low does up to depth, and a character more; empty: there is none below high.
func (m *alphabet) nextAfter(low, high string, depth int) string {
	for depth > 0 && depth < len(low) && !utf8.RuneStart(low[depth]) {
		depth--
	}
	if depth >= len(low) {
		return ""
	}
	r, _ := utf8.DecodeRuneInString(low[depth:])
	next := m.nextRune(r)
	if next == utf8.RuneError {
		return ""
	}
	if text := low[:depth] + string(next); high == "" || text < high {
		return text
	}
	return ""
}

// estimateRemaining is an estimate of how many keys the Range still has: as many for each part of it as there were so far.
func (p *Pager) estimateRemaining() float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := &p.split
	if p.complete || s.lastKey == "" {
		return 0
	}
	start := max(p.rng.After, p.lister.cfg.Prefix)
	common, end := len(p.lister.cfg.Prefix), 1.0
	if ceiling := p.upperBound(); ceiling != "" {
		common = commonPrefix(start, ceiling)
		end = s.alphabet.position(ceiling[common:])
	}
	common = min(common, len(s.lastKey))
	began, now := s.alphabet.position(start[common:]), s.alphabet.position(s.lastKey[common:])
	factor := remainingFactorMax
	if now > began {
		factor = min(factor, max(0, end-now)/(now-began))
	}
	return float64(s.keys) * factor
}

// remainingFactorMax is how many times as many keys as were seen are expected at most: from little, not much is known.
const remainingFactorMax = 1e4

// commonPrefix is how many bytes a and b have in common, in whole characters.
func commonPrefix(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	for n > 0 && (n < len(a) && !utf8.RuneStart(a[n]) || n < len(b) && !utf8.RuneStart(b[n])) {
		n--
	}
	return n
}
