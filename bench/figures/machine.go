package figures

import (
	"context"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// Machine is the machine that figures are of. A field that the system does not report is empty.
type Machine struct {
	CPU    string `json:"cpu,omitempty"` // model
	Cores  int    `json:"cores"`         // that this process may use
	Kernel string `json:"kernel,omitempty"`
	Go     string `json:"go"`
}

// ThisMachine describes the machine that this process runs on. It runs uname.
func ThisMachine(ctx context.Context) Machine {
	return Machine{
		CPU: cpuModel(ctx), Cores: runtime.NumCPU(), Kernel: outputOf(ctx, "uname", "-sr"),
		Go: runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH,
	}
}

func cpuModel(ctx context.Context) string {
	if runtime.GOOS == "darwin" {
		return outputOf(ctx, "sysctl", "-n", "machdep.cpu.brand_string")
	}
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	return parseCPUModel(string(text))
}

// parseCPUModel finds the model of the first processor in /proc/cpuinfo. On ARM the file has none.
func parseCPUModel(cpuinfo string) string {
	for line := range strings.Lines(cpuinfo) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// outputOf returns what a command prints, or "" if it fails.
func outputOf(ctx context.Context, name string, args ...string) string {
	text, err := exec.CommandContext(ctx, name, args...).Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}
