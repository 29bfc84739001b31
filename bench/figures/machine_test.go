package figures

import "testing"

func TestParseCPUModel(t *testing.T) {
	for cpuinfo, want := range map[string]string{
		"processor\t: 0\nmodel\t\t: 1\nmodel name\t: AMD EPYC 7763\n\nprocessor\t: 1\nmodel name\t: another\n": "AMD EPYC 7763",
		"processor\t: 0\nCPU part\t: 0xd0c\n": "",
	} {
		if got := parseCPUModel(cpuinfo); got != want {
			t.Errorf("%q: %q", cpuinfo, got)
		}
	}
}
