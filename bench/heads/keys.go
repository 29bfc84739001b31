package heads

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"headcount/scan/fault"
	"headcount/scan/list"
	"headcount/scan/store"
)

// listKeys lists the first keys below the prefix, so many at most.
func listKeys(ctx context.Context, st *store.Store, cfg *Config) ([]list.Entry, error) {
	pager := list.New(list.Config{
		Store: st, Prefix: cfg.Prefix, V1: cfg.ListV1, Timeout: cfg.Timeout, RetryFor: listRetryFor, Log: cfg.Log,
	}).Pager(list.Range{})
	var sample []list.Entry
	for len(sample) < cfg.KeysMax {
		page, err := pager.Next(ctx)
		if err != nil {
			return nil, err
		}
		if page == nil {
			break
		}
		sample = append(sample, page.Entries...)
	}
	if len(sample) == 0 {
		return nil, fmt.Errorf("there is no key to send HEADs for in s3://%s/%s", st.Bucket(), cfg.Prefix)
	}
	return sample[:min(len(sample), cfg.KeysMax)], nil
}

// listRetryFor is how long a store in trouble is waited for before anything is measured: who measures would rather
// know.
const listRetryFor = 10 * time.Second

// NoSuccessError is a Step in which no HEAD succeeded. What could be measured then is of no HEAD.
type NoSuccessError struct {
	Target   string // the URI of what was asked for
	Statuses map[string]int64
}

func (e *NoSuccessError) Error() string {
	if len(e.Statuses) == 0 {
		return "no HEAD was answered in " + e.Target
	}
	return fmt.Sprintf("no HEAD succeeded in %s: %s", e.Target, formatStatuses(e.Statuses))
}

// Hint is what can be done about it.
func (e *NoSuccessError) Hint() string {
	switch most := e.mostFrequentStatus(); {
	case most == "":
		return "give it more time: --duration"
	case most == fmt.Sprint(http.StatusForbidden):
		return "listing needs s3:ListBucket, HEAD needs s3:GetObject"
	case most == classTimeout, most == classUnanswered:
		return "does the store answer a HEAD at all? --timeout, --duration"
	case fault.Class(most).Unreached():
		return "is the store still there, and does it bear so many connections?"
	}
	return "does headcount scan of the same bucket work?"
}

// mostFrequentStatus is what came most often; empty: nothing did.
func (e *NoSuccessError) mostFrequentStatus() string {
	names := namesByCount(e.Statuses)
	if len(names) == 0 {
		return ""
	}
	return names[0]
}
