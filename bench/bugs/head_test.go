package bugs

// headBugs take one answer for another, or a part of one for the whole.
func headBugs() []bug {
	return []bug{
		{
			what: "an answer is believed whatever follows it",
			file: "scan/head/burst.go",
			old:  "if c.untaken() && (n > 1 || c.answers > 0) {",
			new:  "if false {",
			in:   "scan/head", test: "TestSurplus/a_body,_at_the_second",
		},
		{
			what: "a connection with bytes left over is used again",
			file: "scan/head/burst.go",
			old:  "drop := s.closing || c.untaken()",
			new:  "drop := s.closing",
			in:   "scan/head", test: "TestSurplus/an_answer,_at_the_first",
		},
		{
			what: "nobody looks whether a connection has been spoken on while it was idle",
			file: "scan/head/conn.go",
			old:  "peek: newPeek(c)",
			new:  "peek: peek{}",
			in:   "scan/head", test: "TestEndedWhileIdle",
		},
		{
			what: "the ETag is not compared with the listed one",
			file: "scan/head/head.go",
			old:  "if isTagged && string(tag) != e.ETag {",
			new:  "if false {",
			in:   "scan/head", test: "TestDirect/Unlike/another_ETag",
		},
		{
			what: "the length is not compared with the listed one",
			file: "scan/head/head.go",
			old:  "ok && e.Size >= 0 && length != e.Size {",
			new:  "ok && length < 0 {",
			in:   "scan/head", test: "TestDirect/Unlike/another_length",
		},
		{
			what: "an answer of a pipeline is not held against its request",
			file: "scan/head/burst.go",
			old:  "			return errOutOfStep\n",
			new:  "",
			in:   "scan/head", test: "TestPipelineIsNotBorne",
		},
		{
			what: "objects that are alike go into one burst",
			file: "scan/head/burst.go",
			old:  "other.ETag == \"\" || other.Size == e.Size && other.ETag == e.ETag {",
			new:  "other.ETag == \"\" {",
			in:   "scan/head", test: "TestAlikeAreNotTakenForEachOther",
		},
		{
			what: "an interim answer is the final one",
			file: "scan/head/conn.go",
			old:  "return r.Status >= 200, closing, nil",
			new:  "return true, closing, nil",
			in:   "scan/head", test: "TestDirect/Framing/103_before",
		},
		{
			what: "the deadline is that of one read",
			file: "scan/head/burst.go",
			old:  "			if err := c.fill(s.held > 0, s.leaves); err != nil {",
			new:  "			_ = c.SetReadDeadline(time.Now().Add(s.engine.timeout))\n			if err := c.fill(s.held > 0, s.leaves); err != nil {",
			in:   "scan/head", test: "TestDirect/Failures/a_byte_at_a_time",
		},
		{
			what: "Connection: close is not heard",
			file: "scan/head/response.go",
			old:  "r.isClosed = r.isClosed || hasOption(value, \"close\")",
			new:  "",
			in:   "scan/head", test: "TestDirect/Closing/HTTP/1.1,_close",
		},
		{
			what: "of a metadatum that is repeated only the first is kept",
			file: "scan/head/response.go",
			old:  "			r.Metadata[kept-1].Value = joined(r.Metadata[kept-1].Value, r.Metadata[i].Value)\n",
			new:  "",
			in:   "scan/head", test: "TestDirect/Metadata",
		},
		{
			what: "of a metadatum that is repeated only the first is kept, by the SDK",
			file: "scan/head/sdk.go",
			old:  "return strings.Join(values, \",\")",
			new:  "return values[0]",
			in:   "scan/head", test: "TestSDK/Metadata",
		},
		{
			what: "the fields behind a new one are remembered as they stood to the old one",
			file: "scan/head/layout.go",
			old:  "		r.layout = slices.Grow(r.layout[:at], 1)[:at+1]\n",
			new:  "		if at == len(r.layout) {\n			r.layout = slices.Grow(r.layout[:at], 1)[:at+1]\n		}\n",
			in:   "scan/head", test: "TestParseRemembersNothingWrong",
		},
		{
			what: "a plus in a key stands for itself, which is a blank to a store",
			file: "scan/head/sign.go",
			old:  "0123456789-._~/\")",
			new:  "0123456789-._~/+\")",
			in:   "scan/head", test: "TestDirect/Paths",
		},
		{
			what: "the key of the day outlives it",
			file: "scan/head/sign.go",
			old:  "if before != nil && before.day == t.day {",
			new:  "if before != nil && before.key != nil {",
			in:   "scan/head", test: "TestSignAroundMidnight",
		},
	}
}
