package fault

import (
	"errors"
	"net"
	"strings"
	"syscall"
)

// localLimit is a limit of this machine or this process that a request met.
type localLimit struct {
	errors []error // of system calls
	text   string  // of the first of them
	hint   string
}

// Errors of Windows for the same limits: the constants in syscall have other numbers there.
// https://learn.microsoft.com/windows/win32/winsock/windows-sockets-error-codes-2
const (
	wsaTooManyFiles   = syscall.Errno(10024)
	wsaAddrNotAvail   = syscall.Errno(10049)
	wsaNoBufferMemory = syscall.Errno(10055)
)

// localLimits returns the limits that connect(2) and socket(2) name.
// https://man7.org/linux/man-pages/man2/connect.2.html https://man7.org/linux/man-pages/man2/socket.2.html
func localLimits() []localLimit {
	return []localLimit{
		{
			[]error{syscall.EMFILE, wsaTooManyFiles}, "too many open files",
			"this process may not open more files: raise the limit (ulimit -n), or use fewer --workers",
		},
		{
			[]error{syscall.ENFILE}, "too many open files in system",
			"the machine has too many open files: end other programs, or use fewer --workers",
		},
		{
			[]error{syscall.EADDRNOTAVAIL, wsaAddrNotAvail}, "cannot assign requested address",
			"this machine has no free port for the endpoint: use fewer --workers, or allow more ports " +
				"(net.ipv4.ip_local_port_range)",
		},
		{
			[]error{syscall.ENOBUFS, syscall.ENOMEM, wsaNoBufferMemory}, "no buffer space available",
			"this machine has no memory for more connections: use fewer --workers",
		},
	}
}

// localLimitOf returns the limit of this machine that err names; nil: none.
func localLimitOf(err error) *localLimit {
	limits := localLimits()
	for i := range limits {
		for _, is := range limits[i].errors {
			if errors.Is(err, is) {
				return &limits[i]
			}
		}
	}
	var dns *net.DNSError // it keeps the texts of its causes alone
	if !errors.As(err, &dns) {
		return nil
	}
	for i := range limits {
		if strings.HasSuffix(dns.Err, limits[i].text) {
			return &limits[i]
		}
	}
	return nil
}

// LocalLimitHint returns what the user can do about an error of the Class LocalLimit; "": err is none.
func LocalLimitHint(err error) string {
	if err == nil {
		return ""
	}
	if limit := localLimitOf(err); limit != nil {
		return limit.hint
	}
	return ""
}
