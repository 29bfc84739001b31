package heads

// chart is to come.
func (r *Report) chart() string { return "" }
