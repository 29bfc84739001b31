package heads

import "io"

// WritePage is to come.
func (r *Report) WritePage(io.Writer) error { return nil }
