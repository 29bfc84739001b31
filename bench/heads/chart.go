package heads

func (r *Report) chart() string { return "" }
