package process

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Usage is what a process used, including those of its children that it waited for.
type Usage struct {
	CPU time.Duration // user and system

	// MaxRSS is the resident memory of the largest of the processes, in bytes. It is at least the resident memory of
	// the process that started it: Linux counts what is resident between a child's start and its exec.
	MaxRSS int64

	Wall time.Duration // from before the start to after the end
}

// UsageKnown is true where the kernel reports the usage of a process that has ended: on unix.
const UsageKnown = usageKnown

// Run runs a command that exec.CommandContext made to its end, and returns its usage, even when it fails. Run sets the
// command's Stderr, and calls KillWithParent. The error has the name of the program and the most telling line of its
// standard error.
func Run(cmd *exec.Cmd) (u Usage, err error) {
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	KillWithParent(cmd)
	began := time.Now()
	err = cmd.Run()
	u.Wall = time.Since(began)
	if cmd.ProcessState != nil {
		u.CPU, u.MaxRSS = usageOf(cmd.ProcessState)
	}
	if err != nil {
		err = Error(filepath.Base(cmd.Path), err, stderr.Bytes())
	}
	return u, err
}

// KillWithParent ends a command that exec.CommandContext made, and the processes that the command starts, when its
// context ends. On Linux the kernel also kills the command when this process is killed.
func KillWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = childAttributes()
	if cmd.SysProcAttr != nil {
		cmd.Cancel = func() error { return killGroup(cmd.Process) }
	}
	// A descendant that survives may hold standard error open. Wait must not block on it.
	cmd.WaitDelay = time.Second
}

// Error describes how the program name failed. It quotes the first line of stderr that contains "error:", else the last
// line.
func Error(name string, err error, stderr []byte) error {
	var quoted string
	for line := range bytes.Lines(stderr) {
		text := strings.TrimSpace(string(line))
		if text == "" {
			continue
		}
		quoted = text
		if strings.Contains(strings.ToLower(text), "error:") {
			break
		}
	}
	if quoted == "" {
		return fmt.Errorf("%s: %w", name, err)
	}
	return fmt.Errorf("%s: %w: %s", name, err, quoted)
}

// The keys in IsolatedEnv. They are the ones that AWS's documentation uses. The stores of the benchmarks verify no
// signature.
const (
	AccessKey = "AKIAIOSFODNN7EXAMPLE"
	SecretKey = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
)

// IsolatedEnv returns env without the variables that configure AWS, and with keys, so that requests are signed.
func IsolatedEnv(env []string) []string {
	var isolated []string
	for _, pair := range env {
		if !strings.HasPrefix(pair, "AWS_") {
			isolated = append(isolated, pair)
		}
	}
	return append(isolated,
		"AWS_ACCESS_KEY_ID="+AccessKey, "AWS_SECRET_ACCESS_KEY="+SecretKey, "AWS_EC2_METADATA_DISABLED=true",
		"AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull)
}
