package bugs

// listBugs returns bugs by which keys are lost or changed before any HEAD is sent.
func listBugs() []bug {
	return []bug{
		{
			what: "the end of a listing is not confirmed",
			file: "scan/list/pager.go",
			old:  "if p.newKeys == 0 || p.lister.cfg.Store.Unordered() {",
			new:  "if true {",
			in:   "scan/list", test: "TestPagerRepairs/a_listing_that_ends_early",
		},
		{
			what: "keys are decoded without a declared encoding",
			file: "scan/list/xmllist/page.go",
			old:  "	case \"\":\n	default:\n		return nil, fmt.Errorf(\"EncodingType",
			new:  "	case \"\":\n		_ = p.decodeKeys()\n	default:\n		return nil, fmt.Errorf(\"EncodingType",
			in:   "scan/list/xmllist", test: "TestDecodeDecodesOnlyDeclaredKeys",
		},
		{
			what: "a plus in an encoded key stays a plus",
			file: "scan/list/xmllist/url.go",
			old:  "dst = append(dst, ' ')",
			new:  "dst = append(dst, '+')",
			in:   "scan/list/xmllist", test: "TestDecodeReadsAListing",
		},
		{
			what: "the key of an inclusive start-after is handed out again",
			file: "scan/list/pager.go",
			old:  "case e.Key <= p.cursor:",
			new:  "case e.Key < p.cursor:",
			in:   "scan/list", test: "TestPagerRepairs/an_inclusive_start-after",
		},
		{
			what: "the last key of a Range belongs to the next Range",
			file: "scan/list/range.go",
			old:  "key <= r.Through",
			new:  "key < r.Through",
			in:   "scan/list", test: "TestPagerRepairs/a_key_after_the_Range",
		},
		{
			what: "a repeated token is followed",
			file: "scan/list/pager.go",
			old:  "case next == p.token:",
			new:  "case false:",
			in:   "scan/list", test: "TestPagerRefuses/the_same_token",
		},
		{
			what: "a repeated token ends the listing, as in the SDK's paginator",
			file: "scan/list/pager.go",
			old:  "	if !a.Truncated {\n",
			new:  "	if !a.Truncated || p.token != \"\" && a.NextToken == p.token {\n",
			in:   "scan/list", test: "TestPagerRefuses/the_same_token",
		},
		{
			what: "a truncated page without a token ends the listing",
			file: "scan/list/pager.go",
			old:  "	if !a.Truncated {\n",
			new:  "	if !a.Truncated || a.NextToken == \"\" {\n",
			in:   "scan/list", test: "TestPagerRefuses/truncated_without_a_token",
		},
		{
			what: "keys out of order are skipped",
			file: "scan/list/pager.go",
			old:  "if e.Key == p.lastSeen || slices.Contains(previous, hash) {",
			new:  "if e.Key == p.lastSeen || slices.Contains(previous, hash) || true {",
			in:   "scan/list", test: "TestPagerRefuses/keys_out_of_order",
		},
		{
			what: "the read part of a document cut short is a page",
			file: "scan/list/xmllist/fallback.go",
			old:  "r.fail(fmt.Errorf(\"the response is cut short after %d bytes\", r.window.read))",
			new:  "",
			in:   "scan/list/xmllist", test: "TestDecodeRefusesInvalidDocuments",
		},
		{
			what: "an error with status 200 is an empty page",
			file: "scan/list/xmllist/fallback.go",
			old:  "other = r.errorDocument()",
			new:  "r.errorDocument()",
			in:   "scan/list", test: "TestPagerRepairs/an_error_in_a_200",
		},
		{
			what: "a web page is an empty page",
			file: "scan/list/xmllist/fallback.go",
			old:  "other = fmt.Errorf(",
			new:  "_ = fmt.Errorf(",
			in:   "scan/list", test: "TestPagerRepairs/one_web_page",
		},
	}
}
