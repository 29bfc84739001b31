//go:build mutants

package bugs

// stageBugs break what one stage promises to the next.
func stageBugs() []bug {
	return []bug{
		{
			description: "a committed Range is still pending",
			file:        "scan/commit.go",
			old:         "return c.pending.remove(p.Range)",
			new:         "return nil",
			pkg:         "scan", test: "TestWorkerAndObjectCounts",
		},
		{
			description: "a walk ends without the rest of its Range",
			file:        "scan/source.go",
			old:         "rest, ok := w.pages.Rest(); ok {",
			new:         "rest, ok := w.pages.Rest(); ok && rest.After == \"\" {",
			pkg:         "scan", test: "TestWorkerAndObjectCounts",
		},
		{
			description: "a committed page keeps its place within the limit",
			file:        "scan/pagelimit.go",
			old:         "	*p.taken -= p.count\n",
			new:         "	*p.taken -= 0\n",
			pkg:         "scan", test: "TestPageLimit",
		},
		{
			description: "the retry queue ignores the time of a batch",
			file:        "scan/retry.go",
			old:         "if rest := time.Until(waiting[0].at); rest > 0 {",
			new:         "if rest := time.Until(waiting[0].at); rest > time.Hour {",
			pkg:         "scan", test: "TestRetryQueue",
		},
		{
			description: "the canary accepts any answer",
			file:        "scan/fault/canary.go",
			old:         "		case err == nil:\n			c.answeredAt = sent",
			new:         "		case ctx.Err() == nil:\n			c.answeredAt = sent",
			pkg:         "scan/fault", test: "TestCanary",
		},
		{
			description: "a canary with other credentials confirms a refusal",
			file:        "scan/fault/policy.go",
			old:         "	case v.OtherCredentials && (p.MaxAttempts == 0 || a.Sent < p.MaxAttempts):\n",
			new:         "	case false:\n",
			pkg:         "scan/fault", test: "TestObjectPolicyOfRefusals",
		},
		{
			description: "a batch that was split begins at the wrong object",
			file:        "scan/page.go",
			old:         "part := &batch{page: b.page, first: b.index(n), count: count",
			new:         "part := &batch{page: b.page, first: n, count: count",
			pkg:         "scan", test: "TestHangingHeadDelaysOnlyItsObject/the_last_three",
		},
	}
}
