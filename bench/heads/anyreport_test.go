package heads

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// anyFigure generates mostly figures of a real store, and sometimes impossible ones.
func anyFigure(most float64) *rapid.Generator[float64] {
	return rapid.OneOf(
		rapid.Float64Range(0, most), rapid.Float64Range(0, most), rapid.Float64Range(0, most),
		rapid.SampledFrom([]float64{0, 1, -1, math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64,
			math.SmallestNonzeroFloat64, 1e15, 1e-7}),
	)
}

func anyCount() *rapid.Generator[int64] {
	return rapid.OneOf(rapid.Int64Range(0, 1e6), rapid.SampledFrom([]int64{0, 1, -1, math.MaxInt64, math.MinInt64}))
}

func anyLatency() *rapid.Generator[Latency] {
	return rapid.Custom(func(t *rapid.T) Latency {
		ms := anyFigure(1e4)
		return Latency{ms.Draw(t, "p50"), ms.Draw(t, "p90"), ms.Draw(t, "p99"), ms.Draw(t, "p99.9"), ms.Draw(t, "max"),
			ms.Draw(t, "mean")}
	})
}

func anyMoment() *rapid.Generator[Moment] {
	return rapid.Custom(func(t *rapid.T) Moment {
		ms := anyFigure(1e4)
		return Moment{
			anyFigure(100).Draw(t, "at"), anyCount().Draw(t, "heads"), anyFigure(1).Draw(t, "seconds"),
			anyCount().Draw(t, "errors"),
			ms.Draw(t, "p50"), ms.Draw(t, "p99"), ms.Draw(t, "max"),
		}
	})
}

func anyStep() *rapid.Generator[Step] {
	return rapid.Custom(func(t *rapid.T) Step {
		s := Step{
			Workers: rapid.OneOf(rapid.IntRange(1, 2048), rapid.SampledFrom([]int{0, -1, math.MaxInt})).Draw(t,
				"workers"),
			Heads: anyCount().Draw(t, "heads"), HeadsPerSecond: anyFigure(1e5).Draw(t, "rate"),
			Errors:          anyCount().Draw(t, "errors"),
			DurationSeconds: anyFigure(60).Draw(t, "seconds"), CPUMicrosPerHead: anyFigure(100).Draw(t, "cpu"),
			InFlight: anyFigure(100).Draw(t, "in flight"),
			Latency:  anyLatency().Draw(t, "latency"), Statuses: map[string]int64{"200": anyCount().Draw(t, "200")},
			Series: rapid.SliceOfN(anyMoment(), 0, 8).Draw(t, "series"),
			Histogram: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Bucket {
				return Bucket{anyFigure(1e4).Draw(t, "ms"), anyCount().Draw(t, "count")}
			}), 0, 8).Draw(t, "histogram"),
		}
		if rapid.Bool().Draw(t, "open") {
			s.Rate = anyFigure(1e5).Draw(t, "planned")
			service := anyLatency().Draw(t, "service")
			s.Service = &service
		}
		return s
	})
}

func anyReport() *rapid.Generator[*Report] {
	return rapid.Custom(func(t *rapid.T) *Report {
		r := &Report{Bucket: "b", Steps: rapid.SliceOfN(anyStep(), 0, 14).Draw(t, "steps")}
		if len(r.Steps) > 0 && rapid.Bool().Draw(t, "knee") {
			r.Knee = &Knee{Workers: r.Steps[0].Workers, HeadsPerSecond: anyFigure(1e5).Draw(t, "knee's rate")}
		}
		return r
	})
}

// Every Report has a valid page and a valid chart.
func TestAnyReport(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := anyReport().Draw(t, "report")
		checkPage(t, r)
		for _, d := range drawingsOf(r) {
			checkDrawing(t, d)
		}
		checkChart(t, r.chart())
	})
}
