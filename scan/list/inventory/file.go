package inventory

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"headcount/scan/exit"
)

// File is an open file of an Inventory. Name returns it as a user names it.
type File interface {
	io.Reader
	io.ReaderAt
	io.Seeker
	io.Closer
	Name() string
}

// openLocal opens a local file that is no pipe and no device: it is read more than once.
func openLocal(name string) (File, error) {
	info, err := os.Stat(name)
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is no regular file")
	}
	if err != nil {
		return nil, &Error{File: name, What: exit.WithoutPath(err).Error(), missing: errors.Is(err, fs.ErrNotExist)}
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, &Error{File: name, What: exit.WithoutPath(err).Error()}
	}
	return f, nil
}

// openAdvised is openLocal. Its error about a file that does not exist has this advice.
func openAdvised(name, advice string) (File, error) {
	f, err := openLocal(name)
	if absent := (*Error)(nil); errors.As(err, &absent) && absent.missing {
		absent.Advice = advice
	}
	return f, err
}

// FromFolder returns a Fetch of the files around a local manifest. A data file lies beside it, or beside its folder,
// under its key or the end of its key: as "aws s3 sync" copies a bucket or a folder, or as files are copied into one
// folder.
func FromFolder(manifest string) Fetch {
	return func(_ context.Context, key string) (File, error) {
		switch key {
		case manifest:
			return openAdvised(key, "name the manifest.json of an Inventory")
		case strings.TrimSuffix(manifest, manifestSuffix) + checksumSuffix:
			return openAdvised(key, "S3 writes this file beside the manifest: copy it into the same folder")
		}
		folder := filepath.Dir(manifest)
		for end := path.Clean(key); ; {
			if name := filepath.FromSlash(end); filepath.IsLocal(name) {
				for _, folder := range []string{folder, filepath.Join(folder, "..")} {
					f, err := openLocal(filepath.Join(folder, name))
					if missing := (*Error)(nil); err == nil || !errors.As(err, &missing) || !missing.missing {
						return f, err
					}
				}
			}
			var more bool
			if _, end, more = strings.Cut(end, "/"); !more {
				break
			}
		}
		return nil, &Error{
			File: key, What: fmt.Sprintf("no such file in %s, or beside that folder", folder),
			Advice: "copy the data files into the folder of the manifest, or name the manifest by its s3:// URI",
		}
	}
}

// tempFile is a file of a bucket, in a temporary file. It has no name while it is used, where the system allows that,
// so that nothing is left of a killed process.
type tempFile struct {
	*os.File
	uri   string
	named bool // the system cannot remove an open file
}

func newTempFile(uri string) (*tempFile, error) {
	f, err := os.CreateTemp("", "headcount-inventory-")
	if err != nil {
		return nil, tempError(err)
	}
	return &tempFile{f, uri, os.Remove(f.Name()) != nil}, nil
}

func tempError(err error) error {
	return exit.WithHint(fmt.Errorf("fetch an inventory: %w", err), "TMPDIR names the folder of the temporary files")
}

// Name returns the URI.
func (f *tempFile) Name() string { return f.uri }

// Close removes the file.
func (f *tempFile) Close() error {
	err := f.File.Close()
	if f.named {
		_ = os.Remove(f.File.Name()) // in the folder that the system empties
	}
	return err
}
