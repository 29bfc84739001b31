package bugs

// listBugs lose keys, or make others of them, before any HEAD is sent.
func listBugs() []bug {
	return []bug{
		{
			what: "the end of a listing is not confirmed",
			file: "scan/list/pager.go",
			old:  "if p.admitted == 0 || p.lister.cfg.Store.Unordered() {",
			new:  "if true {",
			in:   "scan/list", test: "TestPagerRepairs/a_listing_that_ends_early",
		},
		{
			what: "keys are decoded though the store did not say that it encoded them",
			file: "scan/list/answer.go",
			old:  "	case \"\":\n	default:\n		return nil, fmt.Errorf(\"the keys",
			new:  "	case \"\":\n		_ = d.decodeKeys()\n	default:\n		return nil, fmt.Errorf(\"the keys",
			in:   "scan/list", test: "TestDecodeLeavesKeysAloneUnlessTheEncodingIsDeclared",
		},
		{
			what: "a plus stays one in keys that are encoded",
			file: "scan/list/answer.go",
			old:  "dst = append(dst, ' ')",
			new:  "dst = append(dst, '+')",
			in:   "scan/list", test: "TestDecodeReadsWhatAListSays",
		},
		{
			what: "the key after which is asked comes again where start-after is inclusive",
			file: "scan/list/pager.go",
			old:  "case e.Key <= p.cursor:",
			new:  "case e.Key < p.cursor:",
			in:   "scan/list", test: "TestPagerRepairs/start-after_taken_as_inclusive",
		},
		{
			what: "the last key of a Range is the next one's",
			file: "scan/list/range.go",
			old:  "key <= r.Through",
			new:  "key < r.Through",
			in:   "scan/list", test: "TestPagerRepairs/a_key_beyond_the_Range",
		},
		{
			what: "the same token again is gone on with",
			file: "scan/list/pager.go",
			old:  "case next == p.token:",
			new:  "case false:",
			in:   "scan/list", test: "TestPagerRefuses/the_same_token",
		},
		{
			what: "the same token again is the end, as the SDK's paginator takes it",
			file: "scan/list/pager.go",
			old:  "	if !a.truncated {\n",
			new:  "	if !a.truncated || p.token != \"\" && a.next == p.token {\n",
			in:   "scan/list", test: "TestPagerRefuses/the_same_token",
		},
		{
			what: "a truncated page without a token is the last",
			file: "scan/list/pager.go",
			old:  "	if !a.truncated {\n",
			new:  "	if !a.truncated || a.next == \"\" {\n",
			in:   "scan/list", test: "TestPagerRefuses/truncated_without_a_token",
		},
		{
			what: "keys that are out of order are passed over",
			file: "scan/list/pager.go",
			old:  "return nil, p.broken(fmt.Sprintf(\"the keys are not in order: %q after %q\", e.Key, p.last), \"\")",
			new:  "continue",
			in:   "scan/list", test: "TestPagerRefuses/keys_out_of_order",
		},
		{
			what: "what was read of a document that is cut short is a page",
			file: "scan/list/decode.go",
			old:  "case d.xml.err != nil:",
			new:  "case d.xml.err != nil && len(d.objects) == 0:",
			in:   "scan/list", test: "TestDecodeRefusesWhatIsNoListing",
		},
		{
			what: "an error that comes with 200 is an empty page",
			file: "scan/list/decode.go",
			old:  "other = d.refusal()",
			new:  "d.refusal()",
			in:   "scan/list", test: "TestPagerRepairs/an_error_in_a_200",
		},
		{
			what: "a web page is an empty page",
			file: "scan/list/decode.go",
			old:  "other = fmt.Errorf(",
			new:  "_ = fmt.Errorf(",
			in:   "scan/list", test: "TestPagerRepairs/a_web_page_for_once",
		},
	}
}
