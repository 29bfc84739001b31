//go:build !unix

package command

import "os"

// isStandIn reports false: a closed standard output fails by itself.
func isStandIn(*os.File) bool { return false }
