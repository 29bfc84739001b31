package engines

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// program is headcount itself, whose commands run in processes of their own.
type program struct {
	path string
	env  []string
}

// spent is what a process took, as the kernel has it.
type spent struct {
	cpu    time.Duration // user and system
	maxRSS int64         // bytes
	wall   time.Duration // from before its start to after its end
}

// cleanEnv is the environment without what configures AWS, and with keys, so that requests are signed.
func cleanEnv(env []string) []string {
	var clean []string
	for _, pair := range env {
		if !strings.HasPrefix(pair, "AWS_") {
			clean = append(clean, pair)
		}
	}
	return append(clean,
		"AWS_ACCESS_KEY_ID="+accessKey, "AWS_SECRET_ACCESS_KEY="+secretKey, "AWS_EC2_METADATA_DISABLED=true",
		"AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull)
}

// command is killed when ctx ends. It reads nothing, and what it says on standard error is kept.
func (p program) command(ctx context.Context, args []string) (cmd *exec.Cmd, stderr *bytes.Buffer) {
	cmd, stderr = exec.CommandContext(ctx, p.path, args...), new(bytes.Buffer)
	cmd.Env, cmd.Stderr, cmd.SysProcAttr = p.env, stderr, tied()
	return cmd, stderr
}

// run runs a command to its end. A nil stdout is /dev/null.
func (p program) run(ctx context.Context, args []string, stdout io.Writer) (spent, error) {
	cmd, stderr := p.command(ctx, args)
	cmd.Stdout = stdout
	began := time.Now()
	err := cmd.Run()
	wall := time.Since(began)
	if err != nil {
		return spent{}, commandError(args, err, stderr)
	}
	cpu, maxRSS := usageOf(cmd.ProcessState)
	return spent{cpu, maxRSS, wall}, nil
}

// commandError is how a command ended that should not have ended so.
func commandError(args []string, err error, stderr *bytes.Buffer) error {
	said, _, _ := strings.Cut(strings.TrimSpace(stderr.String()), "\n") // the error comes before its hint
	return fmt.Errorf("headcount %s: %w: %s", strings.Join(args, " "), err, said)
}
