//go:build mutants

package bugs

// resumeBugs show after a second run only: it repeats Records or omits them.
func resumeBugs() []bug {
	return []bug{
		{
			description: "the commit of a page commits all keys before it",
			file:        "scan/pending.go",
			old:         "if rng.After != outer.After {",
			new:         "if false {",
			pkg:         "scan", test: "TestPendingRanges",
		},
		{
			description: "a page is counted before it is written",
			file:        "scan/commit.go",
			old:         "	if err := c.outputs.write(p); err != nil {\n",
			new: "	if err := c.outputs.write(p); err != nil {\n" +
				"		c.outcomes.Add(p.outcomes)\n		_ = c.pending.remove(p.Range)\n",
			pkg: "scan", test: "TestOutputErrorEndsRun",
		},
		{
			description: "a resumed run counts from zero",
			file:        "scan/commit.go",
			old:         "c.outcomes, c.failedBefore = cfg.Resume.Stats.Outcomes, cfg.Resume.Stats.Failed",
			new:         "",
			pkg:         "scan", test: "TestResumeAfterStops",
		},
		{
			description: "a run saves its first checkpoint only",
			file:        "scan/commit.go",
			old:         "	c.saved = false\n",
			new:         "",
			pkg:         "scan", test: "TestCheckpointTimes",
		},
		{
			description: "a checkpoint is saved after a page was written in part",
			file:        "scan/commit.go",
			old:         "		saves     = c.onCheckpoint != nil && c.outputs.begun && !c.outputs.partial\n",
			new:         "		saves     = c.onCheckpoint != nil && c.outputs.begun\n",
			pkg:         "scan", test: "TestPartialPageIsNotSaved",
		},
		{
			description: "a checkpoint is saved before the output is on disk",
			file:        "scan/commit.go",
			old: "	positions, err := c.outputs.sync()\n	if err != nil {\n		return err\n	}\n" +
				"	return c.saveAt(positions, nil)\n",
			new: "	if err := c.saveAt(nil, nil); err != nil {\n		return err\n	}\n" +
				"	_, err := c.outputs.sync()\n	return err\n",
			pkg: "scan", test: "TestCheckpointPositions",
		},
		{
			description: "a checkpoint is saved although the output could not be closed",
			file:        "scan/commit.go",
			old:         "	if saves && endErr == nil {\n",
			new:         "	if saves {\n",
			pkg:         "scan", test: "TestSinkCloseError",
		},
		{
			description: "the hash of a checkpoint is not checked",
			file:        "scan/checkpoint/encoding.go",
			old:         "case string(line) != fmt.Sprintf(\"%s%x\", header, sha256.Sum256(body)):",
			new:         "case false:",
			pkg:         "scan/checkpoint", test: "TestDecodeRejectsDamage",
		},
		{
			description: "a checkpoint replaces invalid UTF-8 in keys by U+FFFD",
			file:        "scan/checkpoint/encoding.go",
			old:         "if utf8.ValidString(string(t)) {",
			new:         "if utf8.ValidString(string(t)) || true {",
			pkg:         "scan/checkpoint", test: "TestKeysOfAnyBytes",
		},
		{
			description: "a run resumes from the checkpoint of another scan",
			file:        "scan/checkpoint/file.go",
			old:         "		case before != now:\n",
			new:         "		case false:\n",
			pkg:         "scan/checkpoint", test: "TestOpen/another_bucket",
		},
		{
			description: "the file is not cut at the checkpoint's Position",
			file:        "output/file.go",
			old:         "	if err := f.f.Truncate(at.Bytes); err != nil {\n		return err\n	}\n",
			new:         "",
			pkg:         "output", test: "TestFileContinues/o",
		},
		{
			description: "Sync does not end the frame of a compressed file",
			file:        "output/file.go",
			old:         "	if err := f.endFrame(); err != nil || !f.regular {\n		return err\n	}\n",
			new:         "",
			pkg:         "output", test: "TestFileContinues/o.zst",
		},
		{
			description: "a run continues another file than the checkpoint's",
			file:        "output/file.go",
			old:         "if tail != at.Tail {",
			new:         "if tail == \"\" {",
			pkg:         "output", test: "TestCheckRefuses",
		},
	}
}
