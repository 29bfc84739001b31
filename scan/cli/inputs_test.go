//go:build unix

package cli

import (
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A file that is read more than once cannot be a pipe. A command does not wait for its writer.
func TestNamedPipeOfConfiguration(t *testing.T) {
	scan := []string{"scan", "--endpoint-url", "http://127.0.0.1:1", "s3://demo"}
	for name, c := range map[string]struct {
		variable string // that names the pipe; empty: an argument does
		args     []string
		says     string
	}{
		"certificates": {"", []string{"scan", "--demo", "--ca-bundle", "pipe"}, "--ca-bundle pipe: it is a pipe"},
		"a variable":   {"AWS_CA_BUNDLE", scan, "AWS_CA_BUNDLE: it is a pipe"},
		"credentials":  {"AWS_SHARED_CREDENTIALS_FILE", scan, "the AWS credentials file pipe: it is a pipe"},
		"config":       {"AWS_CONFIG_FILE", scan, "the AWS config file pipe: it is a pipe"},
		"without keys": {"AWS_CONFIG_FILE", append(scan, "--no-sign-request"), "AWS_CONFIG_FILE may name"},
		"list":         {"AWS_CONFIG_FILE", append([]string{"list"}, scan[1:]...), "the AWS config file pipe"},
		"bench": {
			"AWS_SHARED_CREDENTIALS_FILE", append([]string{"bench", "head"}, scan[1:]...), "the AWS credentials file pipe",
		},
		"the server's key": {
			"", []string{"bench", "serve", "--tls-cert", os.DevNull, "--tls-key", "pipe"}, "--tls-key pipe: it is a pipe",
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProcess(t, c.args...)
			p.mkfifo(t, "pipe")
			if c.variable != "" {
				p.Env = append(p.Env, c.variable+"=pipe")
			}
			code := p.startAndWait(t)
			if text := p.stderr.String(); code != 2 || !strings.Contains(text, c.says) || !strings.Contains(text, "hint: ") {
				t.Errorf("exit code %d, want 2 and %q\n%s", code, c.says, text)
			}
		})
	}
}

// A file that names objects can be a pipe. One signal ends the wait for what its writer will write.
func TestSignalEndsWaitForKeys(t *testing.T) {
	for _, flag := range []string{"--retry-from", "--keys", "--prefixes"} {
		t.Run(flag, func(t *testing.T) {
			p := newProcess(t,
				"scan", "--no-sign-request", "--endpoint-url", "http://127.0.0.1:1", flag, "pipe", "s3://demo")
			p.mkfifo(t, "pipe")
			if err := p.Start(); err != nil {
				t.Fatal(err)
			}
			for deadline := time.Now().Add(hangs); ; time.Sleep(10 * time.Millisecond) {
				writer, err := os.OpenFile(p.file("pipe"), os.O_WRONLY|syscall.O_NONBLOCK, 0)
				if err == nil { // the process has begun to read
					defer writer.Close()
					break
				}
				if time.Now().After(deadline) {
					t.Fatal(err)
				}
			}
			if err := p.Process.Signal(syscall.SIGINT); err != nil {
				t.Fatal(err)
			}
			if code := p.ends(t); code != 130 {
				t.Errorf("exit code %d\n%s", code, p.stderr.String())
			}
		})
	}
}
