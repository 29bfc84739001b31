//go:build mutants

package bugs

// listBugs lose or change keys before any HEAD is sent.
func listBugs() []bug {
	return []bug{
		{
			description: "the end of a listing is not confirmed",
			file:        "scan/list/pager.go",
			old:         "if p.newKeys == 0 && !p.confirmsEmpty() {",
			new:         "if true {",
			pkg:         "scan/list", test: "TestPagerRepairs/a_listing_that_ends_early",
		},
		{
			description: "keys are decoded although the store did not declare an encoding",
			file:        "scan/list/xmllist/page.go",
			old:         "	case \"\":\n	default:\n		return nil, fmt.Errorf(\"EncodingType",
			new:         "	case \"\":\n		_ = p.decodeKeys()\n	default:\n		return nil, fmt.Errorf(\"EncodingType",
			pkg:         "scan/list/xmllist", test: "TestDecodeReadsOddPiecesAsItsTwin",
		},
		{
			description: "a plus stays a plus in URL-encoded keys",
			file:        "scan/list/xmllist/url.go",
			old:         "dst, changed = append(dst, ' '), true",
			new:         "dst, changed = append(dst, '+'), true",
			pkg:         "scan/list/xmllist", test: "TestDecodeReadsAListing",
		},
		{
			description: "the end of a Range is not looked for",
			file:        "scan/list/proof.go",
			old:         "!unseen || !ok ||",
			new:         "true || !unseen || !ok ||",
			pkg:         "scan/list", test: "TestRangesAreTheWholeBucketInAnyOrder",
		},
		{
			description: "keys before start-after are always those of a store that ignores it",
			file:        "scan/list/proof.go",
			old:         "found != nil && found.Key != first",
			new:         "found != nil && false",
			pkg:         "scan/list", test: "TestRangesAreTheWholeBucketInAnyOrder",
		},
		{
			description: "a page that declares encoded keys is always decoded",
			file:        "scan/list/xmllist/url.go",
			old:         "case isAlwaysEscaped(b):",
			new:         "case false:",
			pkg:         "scan/list/xmllist", test: "TestDecodeDecodesOnlyEncodedKeys",
		},
		{
			description: "a key that decoding changed is asked for by one name",
			file:        "scan/outcome.go",
			old:         "if e.Encoded == \"\" || w.pool.names.AreReal(e) {",
			new:         "if true {",
			pkg:         "scan", test: "TestOtherNames/direct",
		},
		{
			description: "the key of an inclusive start-after comes again",
			file:        "scan/list/versions.go",
			old:         "return e.Key > p.cursor ||",
			new:         "return e.Key >= p.cursor ||",
			pkg:         "scan/list", test: "TestPagerRepairs/an_inclusive_start-after",
		},
		{
			description: "the last key of a Range belongs to the next Range",
			file:        "scan/list/range.go",
			old:         "key <= r.Through",
			new:         "key < r.Through",
			pkg:         "scan/list", test: "TestPagerRepairs/a_key_after_the_Range",
		},
		{
			description: "a listing continues with the token of the request",
			file:        "scan/list/pager.go",
			old:         "case next == p.token:",
			new:         "case false:",
			pkg:         "scan/list", test: "TestPagerRefuses/the_same_token",
		},
		{
			description: "the token of the request ends the listing, as in the SDK's paginator",
			file:        "scan/list/pager.go",
			old:         "	if !a.Truncated {\n",
			new:         "	if !a.Truncated || p.token != \"\" && a.NextToken == p.token {\n",
			pkg:         "scan/list", test: "TestPagerRefuses/the_same_token",
		},
		{
			description: "a truncated page without a token is the last",
			file:        "scan/list/pager.go",
			old:         "	if !a.Truncated {\n",
			new:         "	if !a.Truncated || a.NextToken == \"\" {\n",
			pkg:         "scan/list", test: "TestPagerRefuses/truncated_without_a_token",
		},
		{
			description: "keys that are out of order are skipped",
			file:        "scan/list/pager.go",
			old:         "return false, p.orderError(fmt.Sprintf(\"%q after %q\", key, p.lastSeen))",
			new:         "return true, nil",
			pkg:         "scan/list", test: "TestPagerRefuses/keys_out_of_order",
		},
		{
			description: "the objects of a document that is cut short are a page",
			file:        "scan/list/xmllist/fallback.go",
			old:         "		r.fail(fmt.Errorf(\"the response is cut short after %d bytes\", r.window.read))\n",
			new: "		if len(r.page.objects) == 0 {\n" +
				"			r.fail(fmt.Errorf(\"the response is cut short after %d bytes\", r.window.read))\n		}\n",
			pkg: "scan/list/xmllist", test: "TestDecodeRefusesInvalidDocuments",
		},
		{
			description: "an error with status 200 is an empty page",
			file:        "scan/list/xmllist/fallback.go",
			old:         "other = r.errorDocument()",
			new:         "r.errorDocument()",
			pkg:         "scan/list/xmllist", test: "TestDecodeReadsTheAnswersOfStores",
		},
		{
			description: "a web page is an empty page",
			file:        "scan/list/xmllist/fallback.go",
			old:         "other = fmt.Errorf(",
			new:         "_ = fmt.Errorf(",
			pkg:         "scan/list", test: "TestPagerRefuses/a_web_page_again_and_again",
		},
		{
			description: "the fast scanner accepts an object with two Keys",
			file:        "scan/list/xmllist/contents.go",
			old:         "if i == 0 || seen&field != 0 {",
			new:         "if i == 0 || false && seen&field != 0 {",
			pkg:         "scan/list/xmllist", test: "TestDecodeDoesNotGuess",
		},
		{
			description: "the listed metadata of a lossy key need no HEAD",
			file:        "scan/list/pager.go",
			old:         "page.Metadata[i].MatchesHead = false",
			new:         "_ = i",
			pkg:         "scan", test: "TestLossyKeysGetHeads",
		},
	}
}
