// Package bugs checks that the tests of headcount detect mistakes. It contains tests only, with the build tag mutants:
//
//	go test -tags mutants -timeout 1h ./bench/bugs
//
// A bug is a patch of a few lines, such as a programmer could write, and the name of the test that must fail with it.
// The ordinary run of the tests shows that the same test passes without the patch. No bug crashes the program. With
// each bug a result looks complete, although a key is missing or repeated, or has the metadata of another object.
//
// The patches quote lines of the sources, which change with every refactoring. The gate therefore leaves them out. Run
// them after changes to the pipeline, and correct the quotes that no longer occur; -run TestPatchesApply names them
// within a second.
package bugs
