package seed

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"unicode/utf8"

	"headcount/scan/exit"
)

// Files are the regular files of a directory and its subdirectories. Make them with OpenFiles.
type Files struct {
	dir     string
	names   []string // with slashes, relative to dir, in the order of bytes
	skipped int64    // files that are not regular, such as symbolic links
}

// putBytesMax is the limit of one PUT. https://docs.aws.amazon.com/AmazonS3/latest/userguide/upload-objects.html
const putBytesMax = 5 << 30

// OpenFiles lists the files of a directory that are put below a prefix. Its error says why they cannot be put. It has a
// hint, and the exit code of a usage error.
func OpenFiles(ctx context.Context, dir, prefix string) (*Files, error) {
	if dir == "" { // EvalSymlinks takes it for the working directory
		return nil, exit.Usagef("give a directory", "no directory is named")
	}
	root, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return nil, exit.Usagef("give a directory", "%v", err)
	}
	f := &Files{dir: root}
	folder := Folder(prefix)
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case cmp.Or(err, context.Cause(ctx)) != nil:
			return cmp.Or(context.Cause(ctx), err)
		case path == root && !entry.IsDir():
			return exit.Usagef("give a directory", "%s is no directory", dir)
		case entry.IsDir():
			return nil
		case !entry.Type().IsRegular():
			f.skipped++
			return nil
		}
		return f.add(folder, path, entry)
	})
	switch {
	case context.Cause(ctx) != nil:
		return nil, context.Cause(ctx)
	case err != nil:
		return nil, asUsage(err)
	case len(f.names) == 0:
		return nil, exit.Usagef("give a directory with files", "%s has no regular files", dir)
	}
	slices.Sort(f.names)
	return f, nil
}

// asUsage makes an error of the file system a usage error.
func asUsage(err error) error {
	if errors.As(err, new(*fs.PathError)) {
		return exit.Usagef("give a directory that can be read", "%v", err)
	}
	return err
}

// add adds a file, if it can be an object.
func (f *Files) add(folder, path string, entry fs.DirEntry) error {
	name, err := filepath.Rel(f.dir, path)
	if err != nil {
		return err
	}
	info, err := entry.Info()
	if err != nil {
		return err
	}
	name = filepath.ToSlash(name)
	const hint = "move the file to another directory"
	switch n := len(folder) + len(name); {
	case n > keyBytesMax:
		return exit.Usagef(hint, "%s: the key has %d bytes, and S3 allows %d", path, n, keyBytesMax)
	case !utf8.ValidString(name):
		return exit.Usagef(hint, "%q: the name is not UTF-8, as a key must be", path)
	case info.Size() > putBytesMax:
		return exit.Usagef(hint, "%s has %d bytes, and a PUT takes at most %d", path, info.Size(), int64(putBytesMax))
	}
	f.names = append(f.names, name)
	return nil
}

func (f *Files) count() int64        { return int64(len(f.names)) }
func (f *Files) name(i int64) string { return f.names[i] }

func (f *Files) index(name string) (int64, bool) {
	i, known := slices.BinarySearch(f.names, name)
	return int64(i), known
}

func (f *Files) path(i int64) string { return filepath.Join(f.dir, filepath.FromSlash(f.names[i])) }

func (f *Files) open(i int64, key string) (*content, error) {
	path := f.path(i)
	info, err := os.Lstat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is no regular file any more")
	}
	if err != nil {
		return nil, err
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	metadata := fileMetadata(info)
	metadata[markerName] = marker(key)
	return &content{
		body: file, metadata: metadata,
		contentType: cmp.Or(mime.TypeByExtension(filepath.Ext(path)), "application/octet-stream"),
	}, nil
}

// fileMetadata returns the attributes of a file under the names that s3fs gives them. uid and gid are left out on
// Windows.
// https://github.com/s3fs-fuse/s3fs-fuse/blob/master/src/metaheader.cpp
func fileMetadata(info fs.FileInfo) map[string]string {
	metadata := map[string]string{
		"mode":  strconv.FormatUint(uint64(unixMode(info.Mode())), 10),
		"mtime": fmt.Sprintf("%d.%09d", info.ModTime().Unix(), info.ModTime().Nanosecond()),
	}
	if uid, gid, known := fileOwner(info); known {
		metadata["uid"], metadata["gid"] = strconv.FormatUint(uid, 10), strconv.FormatUint(gid, 10)
	}
	return metadata
}

// unixMode returns the st_mode of a regular file.
// https://pubs.opengroup.org/onlinepubs/9799919799/basedefs/sys_stat.h.html
func unixMode(mode fs.FileMode) uint32 {
	const regular, setuid, setgid, sticky = 0o100000, 0o4000, 0o2000, 0o1000
	bits := regular | uint32(mode.Perm())
	for _, flag := range []struct {
		mode fs.FileMode
		bit  uint32
	}{{fs.ModeSetuid, setuid}, {fs.ModeSetgid, setgid}, {fs.ModeSticky, sticky}} {
		if mode&flag.mode != 0 {
			bits |= flag.bit
		}
	}
	return bits
}
