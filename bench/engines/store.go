package engines

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// stores are the synthetic ones, each in a process of its own.
type stores struct {
	plain, tls string // URLs; empty: no way needs it
	caBundle   string // the file of what signed tls's certificate
	stop       context.CancelCauseFunc
	running    sync.WaitGroup
}

// openStores starts what the ways need. The context that it returns ends with ctx, or with a store that ends before it is
// closed: what is measured beyond that would be of nothing.
func openStores(ctx context.Context, p program, cfg Config, dir string) (*stores, context.Context, error) {
	ctx, stop := context.WithCancelCause(ctx)
	s := &stores{stop: stop, caBundle: filepath.Join(dir, "cert.pem")}
	args := []string{
		"bench", "serve", "--addr", "127.0.0.1:0", "--bucket", bucket,
		"--objects", strconv.FormatInt(cfg.Objects, 10), "--latency", cfg.Latency.String(),
	}
	var err error
	if slices.ContainsFunc(cfg.ways(), func(w way) bool { return !w.tls }) {
		s.plain, err = s.start(ctx, p, args)
	}
	if err == nil && slices.ContainsFunc(cfg.ways(), func(w way) bool { return w.tls }) {
		keyFile := filepath.Join(dir, "key.pem")
		if err = writeCertificate(s.caBundle, keyFile); err == nil {
			s.tls, err = s.start(ctx, p, append(args, "--tls-cert", s.caBundle, "--tls-key", keyFile))
		}
	}
	if err != nil {
		s.close()
		return nil, nil, err
	}
	return s, ctx, nil
}

// Serve starts the headcount at path as a synthetic store with these flags of bench serve. It returns the store's URL, a
// context that ends with ctx or with the store, and what ends the store.
func Serve(ctx context.Context, path string, flags ...string) (url string, during context.Context, stop func(), err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	s := &stores{stop: cancel}
	p := program{path: path, env: cleanEnv(os.Environ())}
	if url, err = s.start(ctx, p, append([]string{"bench", "serve", "--addr", "127.0.0.1:0"}, flags...)); err != nil {
		s.close()
		return "", nil, nil, err
	}
	return url, ctx, s.close, nil
}

// start returns the URL of a store once it can be asked.
func (s *stores) start(ctx context.Context, p program, args []string) (url string, err error) {
	cmd, stderr := p.command(ctx, args)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	line, readErr := bufio.NewReader(stdout).ReadString('\n') // it prints nothing after that
	s.running.Go(func() {
		err := commandError(args, endOf(cmd), stderr)
		s.stop(err) // of no effect if it is why the store ended
	})
	if readErr != nil {
		s.running.Wait()
		return "", context.Cause(ctx)
	}
	return parseStoreURL(line)
}

// endOf waits for a command that should not end by itself.
func endOf(cmd *exec.Cmd) error {
	if err := cmd.Wait(); err != nil {
		return err
	}
	return errors.New("it ended by itself")
}

// parseStoreURL finds the URL in the flags that bench serve prints for scan.
func parseStoreURL(flags string) (string, error) {
	words := strings.Fields(flags)
	at := slices.Index(words, "--endpoint-url")
	if at < 0 || at+1 == len(words) {
		return "", fmt.Errorf("bench serve prints %q, which names no --endpoint-url", flags)
	}
	return words[at+1], nil
}

// close ends the stores and waits until they have ended.
func (s *stores) close() {
	s.stop(nil)
	s.running.Wait()
}

// connection are the URL by which a way reaches its store, and the flags by which it trusts it.
func (s *stores) connection(w way) (url string, flags []string) {
	if w.tls {
		return s.tls, []string{"--ca-bundle", s.caBundle}
	}
	return s.plain, nil
}
