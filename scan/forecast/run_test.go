package forecast

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"

	"headcount/bench/s3sim"
	"headcount/bench/s3sim/simtest"
	"headcount/scan"
	"headcount/scan/metrics"
	"headcount/scan/store"
)

// openStore opens the store at url, whose bucket is demo.
func openStore(t *testing.T, url string) *store.Store {
	t.Helper()
	opened, err := store.Open(t.Context(), store.Config{
		Bucket: "demo", Endpoints: []string{url}, Isolated: true, Anonymous: true, Addressing: store.AddressingPath, Connections: 4,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(opened.Close)
	return opened
}

func TestRun(t *testing.T) {
	_, url := simtest.Start(t, s3sim.Options{Objects: 2500})
	for name, c := range map[string]struct {
		rate   float64
		rateIs RateOrigin
		sample int64
	}{
		"given":    {100, RateGiven, 0},
		"measured": {0, RateMeasured, 250},
	} {
		progress, stopped := func() metrics.Progress { return metrics.Progress{} }, false
		stats, err := Run(t.Context(), Config{
			Scan: scan.Config{Store: openStore(t, url), Workers: 4, Rate: c.rate},
			StartProgress: func(p func() metrics.Progress) func() {
				progress = p
				return func() { stopped = true }
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		f := stats.DryRun
		if f.Objects != 2500 || f.Heads != 2500 || f.Lists == 0 || !stats.Complete || stats.Heads != 0 || f.PriceUnknown != "the store is not AWS" {
			t.Errorf("%s: %+v", name, f)
		}
		if f.RateIs != c.rateIs || f.Rate <= 0 || f.Seconds == nil || *f.Seconds < f.Listing || c.rate > 0 && f.Rate != c.rate {
			t.Errorf("%s: %v by %s, %v", name, f.Rate, f.RateIs, f.Seconds)
		}
		if (f.Sample != nil) != (c.sample > 0) || f.Sample != nil && f.Sample.Objects != c.sample {
			t.Errorf("%s: %+v", name, f.Sample)
		}
		if progress().Listed != 2500 || !stopped {
			t.Errorf("%s: %+v, stopped %v", name, progress(), stopped)
		}
	}
}

// A dry run that stops in its sample has listed everything and is not complete.
func TestRunStopsInItsSample(t *testing.T) {
	_, sim := simtest.Start(t, s3sim.Options{Objects: 500})
	to, err := url.Parse(sim)
	if err != nil {
		t.Fatal(err)
	}
	cause := errors.New("stopped by the test")
	ctx, stop := context.WithCancelCause(t.Context())
	proxy := httputil.NewSingleHostReverseProxy(to)
	proxy.ErrorLog = log.New(io.Discard, "", 0)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			stop(cause)
		}
		proxy.ServeHTTP(w, r)
	}))
	defer front.Close()

	stats, err := Run(ctx, Config{Scan: scan.Config{Store: openStore(t, front.URL), Workers: 4}})
	if !errors.Is(err, cause) || stats.Complete || stats.Error == "" || stats.DryRun.Objects != 500 || stats.DryRun.Seconds != nil {
		t.Errorf("%v: complete %v, %q, %+v", err, stats.Complete, stats.Error, stats.DryRun)
	}
}
