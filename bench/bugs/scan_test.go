//go:build mutants

package bugs

// scanBugs give an object no Outcome or a wrong one, or write a wrong Record.
func scanBugs() []bug {
	return []bug{
		{
			description: "a 404 is believed without the canary",
			file:        "scan/head/answer/class.go",
			old:         "	}\n	return Failed\n",
			new: "	}\n" +
				"	if r.Status == http.StatusNotFound {\n		return Deleted\n	}\n	return Failed\n",
			pkg: "scan", test: "TestBriefRefusals/direct/404",
		},
		{
			description: "one refusal is an object's Outcome",
			file:        "scan/fault/policy.go",
			old:         "		MaxRefusals: 2,\n",
			new:         "		MaxRefusals: 1,\n",
			pkg:         "scan", test: "TestBriefRefusals/direct/403",
		},
		{
			description: "no HEAD is sent again for an answer that may be another object's",
			file:        "scan/head/answer/class.go",
			old:         "	case r.Status == http.StatusOK && !newConn:\n		return Mismatch\n",
			new:         "	case r.Status == http.StatusOK && !newConn:\n		return Changed\n",
			pkg:         "scan", test: "TestMismatchedAnswerIsRetried/direct",
		},
		{
			description: "an object with another object's answer was overwritten",
			file:        "scan/head/answer/class.go",
			old:         "	case r.Status == http.StatusOK && overwritten(e, r):\n",
			new:         "	case r.Status == http.StatusOK:\n",
			pkg:         "scan", test: "TestUnlikeAnswersFail/direct",
		},
		{
			description: "answers that differ from the listing are believed, though others are like it",
			file:        "scan/head/answer/differences.go",
			old:         "way&g.refuted != 0 {",
			new:         "false {",
			pkg:         "scan", test: "TestListingAndHeadDiffer/some_other_ETags/direct",
		},
		{
			description: "where ETags always differ, the other Traits are not compared",
			file:        "scan/head/compare.go",
			old:         "different&^expected.Of(e) != 0 || !r.Corroborated():",
			new:         "different&^expected.Of(e)&ETag != 0:",
			pkg:         "scan/head", test: "TestExpectedDifferences",
		},
		{
			description: "a web page with a date and an ETag is an overwritten object",
			file:        "scan/head/answer/differences.go",
			old:         "		case d.marked.Load():\n			return Unlike\n",
			new:         "",
			pkg:         "scan", test: "TestListingAndHeadDiffer/a_page_with_a_date_and_an_ETag/direct",
		},
		{
			description: "an object after its last attempt has no Outcome",
			file:        "scan/outcome.go",
			old:         "			s.result.fail(u.err)\n			return\n",
			new:         "			s.result.settled++\n			return\n",
			pkg:         "scan", test: "TestAlwaysFailingObjects/direct",
		},
		{
			description: "an object that failed is counted and not named",
			file:        "scan/page.go",
			old:         "	r.failures = append(r.failures, e)\n",
			new:         "",
			pkg:         "scan", test: "TestAlwaysFailingObjects/direct",
		},
		{
			description: "the Record of an overwritten object does not say that it changed",
			file:        "scan/outcome.go",
			old:         "s.record = NewRecord(e, r, changed)",
			new:         "s.record = NewRecord(e, r, false)",
			pkg:         "scan", test: "TestOutcomes/direct",
		},
		{
			description: "a lossy key with a 404 is gone",
			file:        "scan/verify.go",
			old:         "case e.Entry.Encoded == \"\" && b.page.NameUncertain(e.Entry.Key):",
			new:         "case false:",
			pkg:         "scan", test: "TestQuirks/direct/encoding-not-echoed/nasty/false",
		},
		{
			description: "an object that is not found is gone, though the store goes on listing it",
			file:        "scan/verify.go",
			old:         "case doubt == nil:",
			new:         "case doubt == nil || doubt == list.ErrStillListed:",
			pkg:         "scan", test: "TestStaleKeysFail/direct",
		},
		{
			description: "the Records of a page are in the order of the answers",
			file:        "scan/page.go",
			old:         "	slices.SortFunc(p.runs, ",
			new:         "	slices.SortFunc(p.runs[:0], ",
			pkg:         "scan", test: "TestPageLinesInKeyOrder",
		},
		{
			description: "a key that is not UTF-8 is written with U+FFFD",
			file:        "output/jsonl.go",
			old:         "	if utf8.Valid(text) {",
			new:         "	if utf8.Valid(text) || true {",
			pkg:         "output", test: "TestLine",
		},
		{
			description: "metadata that are not UTF-8 are written with U+FFFD",
			file:        "output/jsonl.go",
			old:         "			if !utf8.Valid(texts[i].Value) {\n				line = line[:before]",
			new:         "			if false {\n				line = line[:before]",
			pkg:         "output", test: "TestLine",
		},
	}
}
