package inventory

import (
	"fmt"

	"headcount/scan/exit"
)

// Error is what is wrong with an Inventory.
type Error struct {
	File   string // as the user names it
	Line   int    // of the file, counted from 1; 0: it is about no line
	Column int    // of the line, in bytes, counted from 1; 0: it is about the whole line
	Row    int64  // of a Parquet file, counted from 1; 0: it is about no row
	What   string
	Advice string // may be empty

	missing bool // the file does not exist
}

func (e *Error) Error() string {
	place := e.File
	switch {
	case e.Row > 0:
		place += fmt.Sprintf(", row %d", e.Row)
	case e.Column > 0:
		place += fmt.Sprintf(":%d:%d", e.Line, e.Column)
	case e.Line > 0:
		place += fmt.Sprintf(":%d", e.Line)
	}
	return "inventory " + place + ": " + e.What
}

// Hint returns what the user can do about it; it may be empty.
func (e *Error) Hint() string { return e.Advice }

// ExitCode implements the contract of package exit.
func (e *Error) ExitCode() int { return exit.Usage }
