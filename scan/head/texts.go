package head

// Texts is memory for the Headers of a Result that is not parsed in place. The zero value is empty. It belongs to one
// Session.
type Texts struct{ bytes []byte }

// Copy returns a copy of text that is valid until Reset. When the memory grows, earlier copies stay in the old array.
func (t *Texts) Copy(text string) []byte {
	from := len(t.bytes)
	t.bytes = append(t.bytes, text...)
	return t.bytes[from:len(t.bytes):len(t.bytes)]
}

// Reset makes the memory free for the next Result.
func (t *Texts) Reset() { t.bytes = t.bytes[:0] }
