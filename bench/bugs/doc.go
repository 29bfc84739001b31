// Package bugs plants mistakes into headcount and wants the tests to tell. It has nothing but tests. A bug is a patch of a few
// lines, as somebody could well write them, and the test that must fail with it. The ordinary run of the tests shows that it passes
// without.
//
// What the bugs have in common: nothing crashes, and the result looks whole. Some key is missing, or is there twice, or has
// what is another's.
package bugs
