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

// listKeys lists the first keys below the prefix, cfg.KeysMax at most.
func listKeys(ctx context.Context, st *store.Store, cfg *Config) ([]list.Entry, error) {
	pager := list.New(list.Config{
		Store: st, Prefix: cfg.Prefix, V1: cfg.ListV1, MayChangeOrder: true, Timeout: cfg.Timeout,
		RetryFor: listRetryFor, Log: cfg.Log,
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
		return nil, fmt.Errorf("no key to send HEADs for in s3://%s/%s", st.Bucket(), cfg.Prefix)
	}
	return sample[:min(len(sample), cfg.KeysMax)], nil
}

// listRetryFor limits the retries of the LIST. It is short: nothing has been measured yet that a failure would lose.
const listRetryFor = 10 * time.Second

// NoSuccessError is the error of a Step in which no HEAD succeeded.
type NoSuccessError struct {
	Target   string // the URI of the bucket and prefix
	Statuses map[string]int64
}

func (e *NoSuccessError) Error() string {
	if len(e.Statuses) == 0 {
		return "no HEAD was answered in " + e.Target
	}
	return fmt.Sprintf("no HEAD succeeded in %s: %s", e.Target, formatStatuses(e.Statuses))
}

// Hint says what the user can do about the error.
func (e *NoSuccessError) Hint() string {
	switch most := e.mostFrequentStatus(); {
	case most == "":
		return "allow more time: --duration"
	case most == fmt.Sprint(http.StatusForbidden):
		return "listing needs s3:ListBucket, HEAD needs s3:GetObject"
	case most == classTimeout, most == classUnanswered:
		return "does the store answer a HEAD at all? --timeout, --duration"
	case fault.Class(most).Unreached():
		return "is the store still reachable, and does it accept so many connections?"
	}
	return "does headcount scan of the same bucket work?"
}

// mostFrequentStatus returns the most frequent status; empty: there is none.
func (e *NoSuccessError) mostFrequentStatus() string {
	names := namesByCount(e.Statuses)
	if len(names) == 0 {
		return ""
	}
	return names[0]
}
