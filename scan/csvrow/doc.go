// Package csvrow reads rows of CSV (RFC 4180). encoding/csv cannot tell a cell that is empty from one that is "", and
// changes line ends in cells.
package csvrow
