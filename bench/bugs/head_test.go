//go:build mutants

package bugs

// headBugs confuse two answers, or an incomplete answer with a complete one.
func headBugs() []bug {
	return []bug{
		{
			description: "connections are reused after a proof of surplus answers",
			file:        "scan/head/direct/doubt.go",
			old:         "	head.DistrustReuse(s.engine.store, s.conn.address, s.engine.log)\n}",
			new:         "}",
			pkg:         "scan/head/direct", test: "TestUnrequestedAnswer",
		},
		{
			description: "what a TLS connection has read is not looked at",
			file:        "scan/head/direct/doubt.go",
			old:         "case s.conn.route.TLS != nil:",
			new:         "case false:",
			pkg:         "scan", test: "TestForgedAnswerForTheLastObject",
		},
		{
			description: "an idle connection is not checked for unexpected bytes",
			file:        "scan/head/direct/conn.go",
			old:         "peek: newPeek(c)",
			new:         "peek: peek{}",
			pkg:         "scan/head/direct", test: "TestEndedWhileIdle",
		},
		{
			description: "the ETag is not compared with the listed one",
			file:        "scan/head/compare.go",
			old:         "r.setTrait(ETag, string(tag) == e.ETag || sameETag(tag, e.ETag))",
			new:         "r.setTrait(ETag, true)",
			pkg:         "scan/head/direct", test: "TestConformance/Mismatch/another_ETag",
		},
		{
			description: "the length is not compared with the listed one",
			file:        "scan/head/compare.go",
			old:         "r.setTrait(Length, length == e.Size)",
			new:         "r.setTrait(Length, length >= 0)",
			pkg:         "scan/head/direct", test: "TestConformance/Mismatch/another_length",
		},
		{
			description: "the answers of a burst are not compared with their requests",
			file:        "scan/head/direct/pipeline.go",
			old:         "			return errOutOfSync\n",
			new:         "",
			pkg:         "scan/head/direct", test: "TestPipelineNotSupported",
		},
		{
			description: "objects with the same ETag and length are in one burst",
			file:        "scan/head/direct/pipeline.go",
			old:         "other.Size == e.Size && other.ETag == e.ETag || other.ETag == \"\" {",
			new:         "other.ETag == \"\" {",
			pkg:         "scan/head/direct", test: "TestEqualObjectsAreNotConfused",
		},
		{
			description: "an interim answer is the final one",
			file:        "scan/head/direct/conn.go",
			old:         "	if r.Status < 200 {\n",
			new:         "	if false {\n",
			pkg:         "scan/head/direct", test: "TestConformance/Framing/103_before",
		},
		{
			description: "the deadline starts again with each read",
			file:        "scan/head/direct/pipeline.go",
			old:         "			if err := c.read(s.received > 0, s.onWait); err != nil {",
			new: "			_ = c.SetReadDeadline(time.Now().Add(s.engine.timeout))\n" +
				"			if err := c.read(s.received > 0, s.onWait); err != nil {",
			pkg: "scan/head/direct", test: "TestConformance/Timeouts/byte_by_byte",
		},
		{
			description: "Connection: close is ignored",
			file:        "scan/head/direct/response.go",
			old:         "r.sawClose = r.sawClose || hasOption(value, \"close\")",
			new:         "",
			pkg:         "scan/head/direct", test: "TestConformance/Closing/HTTP/1.1,_close",
		},
		{
			description: "only the first of repeated metadata is kept",
			file:        "scan/head/metadata.go",
			old: "			r.Metadata[kept-1].Value = " +
				"JoinValues(r.Metadata[kept-1].Value, r.Metadata[i].Value)\n",
			new: "",
			pkg: "scan/head/direct", test: "TestConformance/Metadata",
		},
		{
			description: "only the first of repeated metadata is kept, by the SDK's engine",
			file:        "scan/head/sdk/sdk.go",
			old:         "return strings.Join(values, \",\")",
			new:         "return values[0]",
			pkg:         "scan/head/sdk", test: "TestConformance/Metadata",
		},
		{
			description: "the slots after a new field keep the facts that followed from the old field",
			file:        "scan/head/direct/headercache.go",
			old:         "		r.cache = slices.Grow(r.cache[:at], 1)[:at+1]\n",
			new: "		if at == len(r.cache) {\n" +
				"			r.cache = slices.Grow(r.cache[:at], 1)[:at+1]\n" +
				"		}\n",
			pkg: "scan/head/direct", test: "TestHeaderCacheChangesNothing",
		},
		{
			description: "a plus in a key is not escaped, and stores decode it as a blank",
			file:        "scan/head/direct/template.go",
			old:         "0123456789-._~\"",
			new:         "0123456789-._~+\"",
			pkg:         "scan/head/direct", test: "TestConformance/Paths",
		},
		{
			description: "the signing key of a day is used on the next day",
			file:        "scan/head/direct/template.go",
			old:         "if previous != nil && previous.keyInput == t.keyInput {",
			new:         "if previous != nil && previous.key != nil {",
			pkg:         "scan/head/direct", test: "TestSignAroundMidnight",
		},
	}
}
