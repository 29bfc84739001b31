package bugs

// scanBugs give an object no Outcome, or a wrong one, or print what was not said.
func scanBugs() []bug {
	return []bug{
		{
			what: "a 404 is believed without the canary",
			file: "scan/verdict.go",
			old:  "	return doubtful\n}\n\n// isDeleteMarker",
			new:  "	if r.Status == http.StatusNotFound {\n		return deleted\n	}\n	return doubtful\n}\n\n// isDeleteMarker",
			in:   "scan", test: "TestAHiccupDeletesNothing/direct/404",
		},
		{
			what: "one refusal is enough",
			file: "scan/judge.go",
			old:  "const refusalsMax = 2",
			new:  "const refusalsMax = 1",
			in:   "scan", test: "TestAHiccupDeletesNothing/direct/403",
		},
		{
			what: "an answer that may be another's is not asked for again",
			file: "scan/verdict.go",
			old:  "		return unlike\n	case isDeleteMarker(r) && fresh:",
			new:  "		return changed\n	case isDeleteMarker(r) && fresh:",
			in:   "scan", test: "TestAnothersAnswerIsNotTaken/direct",
		},
		{
			what: "an object whose tries have run out is dropped",
			file: "scan/worker.go",
			old:  "			w.fail(u.err)\n			return\n",
			new:  "			w.ruling.settled++\n			return\n",
			in:   "scan", test: "TestBrokenObjects/direct",
		},
		{
			what: "an object that has failed is counted, and not named",
			file: "scan/worker.go",
			old:  "	w.ruling.failures = append(w.ruling.failures, e)\n",
			new:  "",
			in:   "scan", test: "TestBrokenObjects/direct",
		},
		{
			what: "an object that was overwritten is not told from the one that was listed",
			file: "scan/worker.go",
			old:  "Changed: isChanged}",
			new:  "}",
			in:   "scan", test: "TestFates/direct",
		},
		{
			what: "a lossy key that is not found was deleted",
			file: "scan/judge.go",
			old:  "case e.Status == http.StatusNotFound && b.page.Doubtful(e.Entry.Key):",
			new:  "case false:",
			in:   "scan", test: "TestQuirks/direct/encoding-not-echoed/nasty/false",
		},
		{
			what: "the records of a page are in the order in which they came",
			file: "scan/page.go",
			old:  "	slices.SortFunc(p.parts, func(a, b part) int { return a.first - b.first })\n",
			new:  "	slices.SortFunc(p.parts[:0], func(a, b part) int { return a.first - b.first })\n",
			in:   "scan", test: "TestLinesOfAPageAreInKeyOrder",
		},
		{
			what: "a key that is not UTF-8 is printed with U+FFFD",
			file: "output/jsonl.go",
			old:  "	if utf8.Valid(text) {",
			new:  "	if utf8.Valid(text) || true {",
			in:   "output", test: "TestLine",
		},
		{
			what: "metadata that are not UTF-8 are printed with U+FFFD",
			file: "output/jsonl.go",
			old:  "			if !utf8.Valid(texts[i].Value) {\n				line",
			new:  "			if false {\n				line",
			in:   "output", test: "TestLine",
		},
	}
}

// resumeBugs are found out after the second run only: records are there twice, or not at all.
func resumeBugs() []bug {
	return []bug{
		{
			what: "a page that is committed commits all that lies before it",
			file: "scan/ledger.go",
			old:  "if closed.After != open.After {",
			new:  "if false {",
			in:   "scan", test: "TestLedger",
		},
		{
			what: "a page is counted before it is written",
			file: "scan/commit.go",
			old:  "		if err := s.cfg.Sink.Commit(chunks); err != nil {\n",
			new:  "		if err := s.cfg.Sink.Commit(chunks); err != nil {\n			c.outcomes.add(p.outcomes)\n			_ = c.open.close(p.Range)\n",
			in:   "scan", test: "TestAnOutputThatFailsEndsTheRun",
		},
		{
			what: "the account begins anew where a run goes on",
			file: "scan/commit.go",
			old:  "c.open, c.outcomes, c.borne = slices.Clone(from.Rest), from.Stats.Outcomes, from.Stats.Failed",
			new:  "c.open = slices.Clone(from.Rest)",
			in:   "scan", test: "TestRunsGoOn",
		},
		{
			what: "a checkpoint is not replaced while its run goes on",
			file: "scan/commit.go",
			old:  "	c.isKept, c.isTorn = false, true\n",
			new:  "	c.isTorn = true\n",
			in:   "scan", test: "TestRunsGoOn",
		},
		{
			what: "a page of which the failures had no room is kept as one that is still to come",
			file: "scan/commit.go",
			old:  " || c.isTorn {",
			new:  " {",
			in:   "scan", test: "TestATornPageIsNotKept",
		},
		{
			what: "that the end of a Range is empty is not committed",
			file: "scan/scan.go",
			old:  "			if !ok {\n",
			new:  "			if !ok || rest.After != \"\" {\n",
			in:   "scan", test: "TestAnyNumberOfWorkersAndObjects",
		},
		{
			what: "the hash of a checkpoint is not checked",
			file: "scan/checkpoint/encoding.go",
			old:  "case string(line) != fmt.Sprintf(\"%s%x\", header, sha256.Sum256(body)):",
			new:  "case false:",
			in:   "scan/checkpoint", test: "TestDecodeRejectsDamage",
		},
		{
			what: "a checkpoint makes U+FFFD of keys that are not UTF-8",
			file: "scan/checkpoint/encoding.go",
			old:  "if utf8.ValidString(string(t)) {",
			new:  "if utf8.ValidString(string(t)) || true {",
			in:   "scan/checkpoint", test: "TestKeysOfAnyBytes",
		},
		{
			what: "the file is not cut where the checkpoint says",
			file: "output/file.go",
			old:  "	if err := f.f.Truncate(at.Bytes); err != nil {\n		return err\n	}\n",
			new:  "",
			in:   "output", test: "TestFileContinues/o",
		},
		{
			what: "a checkpoint is made of a frame that is not ended",
			file: "output/file.go",
			old:  "	if err := f.endFrame(); err != nil {\n		return checkpoint.Position{}, err\n	}\n",
			new:  "",
			in:   "output", test: "TestFileContinues/o.zst",
		},
		{
			what: "a file is gone on with that is not the one",
			file: "output/file.go",
			old:  "if tail != at.Tail {",
			new:  "if tail == \"\" {",
			in:   "output", test: "TestCheckRefuses",
		},
		{
			what: "a run goes on with the checkpoint of another scan",
			file: "checkpoint.go",
			old:  "		if before == now {\n",
			new:  "		if true {\n",
			in:   ".", test: "TestScripts/resume",
		},
	}
}
