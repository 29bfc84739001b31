// Package filter compiles the expression of --filter, in the language of expr-lang/expr, to the functions of a
// scan.Filter.
//
//	text ─► parser ─► binder ─► checker ─► formula of atoms ─► whole: all atoms
//	                                                        └► listed half: the atoms that a LIST answers
//
// The stages:
//
//   - binder (bind.go) replaces what is known before the run, as date("2025-01-01"), by its value, and lookups in the
//     metadata by variables of their own.
//   - The checker of expr knows the types of the Fields (vocabulary.go). Numbers, times and bools may be nil.
//   - The meter (meter.go) bounds the time of an evaluation: operations whose cost depends on the object spend steps.
//   - A formula (formula.go) is the expression in negation normal form: "and" and "or" of literals. A literal is an
//     atom or its negation. An atom is a part of the expression that holds no "and", "or" or "not" at its top.
//   - An atom that compares a value with a constant is a function in Go (direct.go). The other atoms are programs for
//     the virtual machine of expr (machine.go), which costs allocations.
//
// The listed half is the formula in which true stands for each literal that needs a HEAD. A formula has no negation
// above its literals, so replacing one by true never makes the result false. Where the listed half is false, the whole
// expression is not true.
package filter
