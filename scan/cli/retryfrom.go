package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"headcount/output"
	"headcount/scan/exit"
	"headcount/scan/list"
)

// readKeys reads the failed objects of an earlier run from its file of --errors. The caller closes the Keys. The file
// can be a pipe: the wait for its writer ends with ctx. Its error is the cause of ctx's end, a usage error, or that of
// a temporary file.
func readKeys(ctx context.Context, name, prefix string) (*list.Keys, error) {
	type read struct {
		keys *list.Keys
		err  error
	}
	done := make(chan read, 1)
	go func() {
		keys, err := sortKeys(ctx, name, prefix)
		done <- read{keys, err}
	}()
	select {
	case r := <-done:
		return r.keys, r.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func sortKeys(ctx context.Context, name, prefix string) (*list.Keys, error) {
	refuse := func(err error) error {
		return exit.Usagef("name a file that --errors has written", "--retry-from %s: %v", name, exit.WithoutPath(err))
	}
	f, err := output.OpenToRead(name)
	if err != nil {
		return nil, refuse(err)
	}
	defer f.Close()
	sorter := list.NewKeySorter()
	defer sorter.Close()
	objects := 0
	err = output.ReadFailureLines(f, func(e list.Entry) error {
		objects++
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case !strings.HasPrefix(e.Key, prefix):
			return refuse(fmt.Errorf("object %d is not below the prefix %q", objects, prefix))
		}
		return sorter.Add(e)
	})
	switch line := (*output.ReadError)(nil); {
	case errors.As(err, &line):
		return nil, refuse(err)
	case err != nil:
		return nil, err
	}
	return sorter.Keys()
}
