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
	// learnStep is the distance between the keys of a page that are compared. Neighbours differ only in the last
	// characters of a key. Keys that are further apart also differ in earlier characters, where Ranges are split.
	learnStep = 16

	// alphabetMax bounds the alphabet of keys in scripts with many characters.
	alphabetMax = 512

	// positionRunes is the number of characters that count in a position: a float64 can tell apart as many.
	positionRunes = 8
)

// alphabet is the set of characters in which neighbouring keys differ, in order. For keys with a counter these are the
// digits, whatever other characters the keys have. A split key is written in the alphabet, since a key with another
// character would often lie beyond all keys. The zero alphabet is empty. It may be used concurrently.
type alphabet struct {
	mu    sync.RWMutex
	runes []rune
}

// learn adds the characters in which the keys of a page differ.
func (a *alphabet) learn(entries []Entry) {
	for i := learnStep; i < len(entries); i += learnStep {
		key, next := entries[i-learnStep].Key, entries[i].Key
		n := commonPrefix(key, next)
		a.add(key[n:])
		a.add(next[n:])
	}
}

// add adds the first character of text.
func (a *alphabet) add(text string) {
	r, _ := utf8.DecodeRuneInString(text)
	if text == "" || !isPortable(r) {
		return
	}
	a.mu.RLock()
	_, found := slices.BinarySearch(a.runes, r)
	a.mu.RUnlock()
	if found {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if at, found := slices.BinarySearch(a.runes, r); !found && len(a.runes) < alphabetMax {
		a.runes = slices.Insert(a.runes, at, r)
	}
}

// contains reports whether r is in the alphabet.
func (a *alphabet) contains(r rune) bool {
	a.mu.RLock()
	defer a.mu.RUnlock()
	_, found := slices.BinarySearch(a.runes, r)
	return found
}

// isPortable reports whether every store accepts a key with the character r. Some refuse characters that XML cannot
// carry, and others decode a percent sign twice.
func isPortable(r rune) bool { return unicode.IsPrint(r) && r != utf8.RuneError && r != '%' }

// position returns the place of text among all texts of the alphabet, from 0 to 1. It reads the characters as the
// digits of a number. The base is the size of the alphabet plus one, for the end of a text.
func (a *alphabet) position(text string) float64 {
	a.mu.RLock()
	defer a.mu.RUnlock()
	var (
		base = float64(len(a.runes) + 1)
		unit = 1.0
		sum  float64
	)
	for range positionRunes {
		r, size := utf8.DecodeRuneInString(text)
		if size == 0 {
			break
		}
		text = text[size:]
		unit /= base
		sum += a.digit(r) * unit
	}
	return min(sum, 1)
}

// digit returns the digit of r: n for the n-th character of the alphabet, and a number between two digits for another
// character. a.mu is held.
func (a *alphabet) digit(r rune) float64 {
	at, found := slices.BinarySearch(a.runes, r)
	if found {
		return float64(at + 1)
	}
	low, high := rune(0), scriptEnd(r)
	if at > 0 {
		low = a.runes[at-1]
	}
	if at < len(a.runes) {
		high = a.runes[at]
	}
	return float64(at) + float64(r-low)/float64(high-low)
}

// textAt returns the shortest beginning of the text at position that lies between low and high. It returns an empty
// text where there is none.
func (a *alphabet) textAt(position float64, low, high string) string {
	a.mu.RLock()
	defer a.mu.RUnlock()
	if len(a.runes) == 0 {
		return ""
	}
	var b strings.Builder
	for range positionRunes {
		digit, rest := math.Modf(position * float64(len(a.runes)+1))
		position = rest
		b.WriteRune(a.runes[max(0, min(int(digit), len(a.runes))-1)])
		if b.String() > low && (high == "" || b.String() < high) {
			return b.String()
		}
	}
	return ""
}

// nextRune returns the next character of the alphabet after r, or else the next portable one.
func (a *alphabet) nextRune(r rune) rune {
	a.mu.RLock()
	defer a.mu.RUnlock()
	at, found := slices.BinarySearch(a.runes, r)
	if found {
		at++
	}
	if at < len(a.runes) {
		return a.runes[at]
	}
	for r++; r <= unicode.MaxRune; r++ {
		if isPortable(r) {
			return r
		}
	}
	return utf8.RuneError
}

// splitKey returns a key in the rest of the Range at which the Range could be split, other than those of splits in
// progress. The key is empty where there is none, or where the Pager has seen too few keys.
//
// The first split keys lie between the cursor and the end: at the middle, a quarter, three quarters. If such a split
// has cut off only a tiny part, the keys may have a long prefix in common. Then splitKey searches the depth, in bytes,
// at which the keys differ. The least depth is the length of the prefix that the cursor and the end have in common. The
// greatest one is the length of the prefix that all keys of the last page have in common.
func (p *Pager) splitKey(inProgress []string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := &p.split
	if p.sequence != nil || s.oversized {
		return ""
	}
	if s.alphabet == nil || p.complete || s.lastKey == "" || !utf8.ValidString(s.lastKey) {
		return ""
	}
	common, upper := p.commonLength(), p.upperBound()
	depths := commonPrefix(s.pageFirst, s.lastKey) - common
	deep := s.tinySplits > 0 && depths > depthsMin
	for n := range splitKeyTries {
		var key string
		if part := subdivision(n + 1); deep {
			key = s.alphabet.nextAfter(s.lastKey, upper, common+int(part*float64(depths)))
		} else {
			key = s.alphabet.between(s.lastKey, upper, common, part)
		}
		if key != "" && !slices.Contains(inProgress, key) {
			return key
		}
	}
	return ""
}

const (
	// splitKeyTries is the number of splits of one Range that are tried at once. More split keys would be too near to
	// each other, or to the cursor.
	splitKeyTries = 3

	// depthsMin is the number of depths that need no search: the next pages pass them anyway.
	depthsMin = 2
)

// subdivision returns the n-th of 1/2, 1/4, 3/4, 1/8, 5/8, 3/8, 7/8, …: the sequence of van der Corput, which visits
// all parts of an interval evenly.
func subdivision(n int) float64 {
	return float64(bits.Reverse32(uint32(n))) / (1 << 32)
}

// upperBound returns the smallest known key that no key of the Range, except its last one, can reach. It is empty where
// no such key is known. p.mu is held.
func (p *Pager) upperBound() string {
	if p.split.upperBound != "" {
		return p.split.upperBound
	}
	if p.rng.Through == p.prefixEnd {
		return "" // no key is there
	}
	return p.rng.Through
}

// commonLength returns the length of the prefix that all remaining keys have in common. p.mu is held.
func (p *Pager) commonLength() int {
	if p.upperBound() == "" {
		return len(p.prefix)
	}
	return commonPrefix(p.split.lastKey, p.upperBound())
}

// between returns a text between low and high, at a fraction part of the way: 0.5 is the middle. low and high have
// their first common bytes in common. The text is empty where none lies between them.
func (a *alphabet) between(low, high string, common int, part float64) string {
	lowRest, highRest := low[common:], ""
	if high != "" {
		highRest = high[common:]
	}
	if r, size := utf8.DecodeRuneInString(lowRest); size > 0 && !a.contains(r) {
		// No other character is known at this place yet, so any may be there.
		if between := runeBetween(r, highRest, part); between != utf8.RuneError {
			return low[:common] + string(between)
		}
		return a.between(low, "", common+size, part)
	}
	begin, end := a.position(lowRest), 1.0
	if high != "" {
		end = a.position(highRest)
	}
	if text := a.textAt(begin+part*(end-begin), lowRest, highRest); text != "" {
		return low[:common] + text
	}
	if r, size := utf8.DecodeRuneInString(lowRest); size > 0 { // characters after the alphabet may be there too
		if between := runeBetween(r, highRest, part); between != utf8.RuneError {
			return low[:common] + string(between)
		}
	}
	return ""
}

// runeBetween returns a character between low and the first one of high, or the end of low's script. It returns
// utf8.RuneError where there is none.
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

// scriptEnd returns a character behind r and the characters that are used together with it.
func scriptEnd(r rune) rune {
	if r < asciiEnd {
		return asciiEnd
	}
	return r + scriptRunes
}

const (
	asciiEnd = 0x7f // follows the printable characters of ASCII

	// scriptRunes is larger than most scripts.
	scriptRunes = 256
)

// nextAfter returns a key after all keys that have the first depth bytes of low and its next character. It is empty
// where that key would not be below high.
func (a *alphabet) nextAfter(low, high string, depth int) string {
	for depth > 0 && depth < len(low) && !utf8.RuneStart(low[depth]) {
		depth--
	}
	if depth >= len(low) {
		return ""
	}
	r, _ := utf8.DecodeRuneInString(low[depth:])
	next := a.nextRune(r)
	if next == utf8.RuneError {
		return ""
	}
	if text := low[:depth] + string(next); high == "" || text < high {
		return text
	}
	return ""
}

// estimateRemaining returns the number of keys that the Range is expected to have left. It assumes that the density of
// keys stays the same.
func (p *Pager) estimateRemaining() float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := &p.split
	if p.complete || s.lastKey == "" {
		return 0
	}
	start := max(p.rng.After, p.prefix)
	common, end := len(p.prefix), 1.0
	if upper := p.upperBound(); upper != "" {
		common = commonPrefix(start, upper)
		end = s.alphabet.position(upper[common:])
	}
	common = min(common, len(s.lastKey))
	began, now := s.alphabet.position(start[common:]), s.alphabet.position(s.lastKey[common:])
	factor := remainingFactorMax
	if now > began {
		factor = min(factor, max(0, end-now)/(now-began))
	}
	return float64(s.keys) * factor
}

// remainingFactorMax bounds the estimate, as a multiple of the keys seen: few keys say little.
const remainingFactorMax = 1e4

// commonPrefix returns the length in bytes of the common prefix of a and b, in whole characters.
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
