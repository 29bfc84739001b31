package process

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// StartStore starts the synthetic store of a headcount binary, "bench serve" with these flags, on a free port. It
// returns the store's URL, a context that ends with ctx or with the store, and a function that ends the store and waits
// for its end. A measurement belongs into that context: against a store that has gone it would measure nothing.
func StartStore(ctx context.Context, headcount string, flags ...string) (url string, during context.Context,
	stop func(), err error) {
	during, cancel := context.WithCancelCause(ctx)
	var stderr bytes.Buffer
	cmd := exec.CommandContext(during, headcount,
		slices.Concat([]string{"bench", "serve", "--addr", "127.0.0.1:0"}, flags)...)
	cmd.Env, cmd.Stderr = IsolatedEnv(os.Environ()), &stderr
	KillWithParent(cmd)
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		cancel(nil)
		return "", nil, nil, err
	}
	line, readErr := bufio.NewReader(stdout).ReadString('\n') // the only line that bench serve prints
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		cancel(Error("bench serve", waitForEnd(cmd), stderr.Bytes())) // has no effect if the context has already ended
	}()
	stop = func() { cancel(nil); <-ended }
	if readErr != nil {
		<-ended
		return "", nil, nil, context.Cause(during)
	}
	if url, err = parseStoreURL(line); err != nil {
		stop()
		return "", nil, nil, err
	}
	return url, during, stop, nil
}

// waitForEnd returns how a command ended that should run until it is stopped. It never returns nil.
func waitForEnd(cmd *exec.Cmd) error {
	if err := cmd.Wait(); err != nil {
		return err
	}
	return errors.New("it ended by itself")
}

// parseStoreURL finds the URL in the flags for headcount scan that bench serve prints.
func parseStoreURL(flags string) (string, error) {
	words := strings.Fields(flags)
	at := slices.Index(words, "--endpoint-url")
	if at < 0 || at+1 == len(words) {
		return "", fmt.Errorf("bench serve prints %q, which names no --endpoint-url", flags)
	}
	return words[at+1], nil
}
