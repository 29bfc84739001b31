package notices

import (
	"flag"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the notices into LICENSE")

// heading separates headcount's own license from the notices.
const heading = "\n" + rule + "NOTICES: the licenses of the modules that are linked into headcount\n" + rule

const rule = "================================================================================\n"

// systems are the operating systems of which the modules are collected: each has modules of its own.
var systems = []string{"linux", "darwin", "windows"}

func TestLicenseHasNotices(t *testing.T) {
	const file = "../../LICENSE"
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	own, notices, _ := strings.Cut(string(data), heading)
	want := collect(t)
	if *update {
		if err := os.WriteFile(file, []byte(own+heading+want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if notices != want {
		t.Error("LICENSE has other notices than the linked modules: go test ./bench/notices -update")
	}
}

// collect returns each license text once, below the names of the modules that have it.
func collect(t *testing.T) string {
	t.Helper()
	modulesOf := map[string][]string{} // by license text
	for module, folders := range linkedModules(t) {
		text := licenseOf(t, module, folders)
		modulesOf[text] = append(modulesOf[text], module)
	}
	sections := make([]string, 0, len(modulesOf))
	for text, modules := range modulesOf {
		slices.Sort(modules)
		sections = append(sections, strings.Join(modules, "\n")+"\n\n"+text)
	}
	slices.Sort(sections) // by the first module
	return "\n" + strings.Join(sections, "\n"+rule+"\n")
}

// linkedModules returns the folders that may hold the licenses of the linked modules, by module path: the folder of the
// module, and those of its linked packages. The standard library is one of the modules.
func linkedModules(t *testing.T) map[string][]string {
	t.Helper()
	folders := map[string][]string{}
	for _, system := range systems {
		list := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{.Path}}\t{{.Dir}}\t{{$.Dir}}{{end}}", ".")
		list.Dir = "../.."
		list.Env = append(os.Environ(), "GOOS="+system, "CGO_ENABLED=0")
		list.Stderr = os.Stderr
		out, err := list.Output()
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(out)) {
			fields := strings.Split(strings.TrimSpace(line), "\t")
			if len(fields) != 3 || fields[0] == "headcount" {
				continue
			}
			module, top := fields[0], fields[1]
			for folder := fields[2]; strings.HasPrefix(folder, top); folder = filepath.Dir(folder) {
				folders[module] = append(folders[module], folder)
			}
		}
	}
	// The text beside the installed Go depends on its version. The Go project's modules have the same license.
	folders["Go's standard library"] = slices.Clone(folders["golang.org/x/sys"])
	if len(folders) < 10 {
		t.Fatalf("%d modules: %q", len(folders), slices.Sorted(maps.Keys(folders)))
	}
	return folders
}

var isLicense = regexp.MustCompile(`^(?i)(LICENSE|LICENCE|COPYING|NOTICE)(\.txt|\.md)?$`).MatchString

// licenseOf returns the texts of a module's licenses and NOTICE files, each once.
func licenseOf(t *testing.T, module string, folders []string) string {
	t.Helper()
	var texts []string
	slices.Sort(folders)
	for _, folder := range slices.Compact(folders) {
		entries, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range entries {
			if !isLicense(entry.Name()) {
				continue
			}
			data, err := os.ReadFile(filepath.Join(folder, entry.Name()))
			if err != nil {
				t.Fatal(err)
			}
			text := strings.TrimSpace(strings.ReplaceAll(string(data), "\r\n", "\n")) + "\n"
			if !slices.Contains(texts, text) {
				texts = append(texts, text)
			}
		}
	}
	if texts == nil {
		t.Fatalf("%s has no license in %q", module, folders)
	}
	return strings.Join(texts, "\n")
}
