// Package notices checks that the file LICENSE has the license of every module that is linked into headcount: most
// licenses ask for their text in copies of the program. The test writes the file anew with -update.
package notices
