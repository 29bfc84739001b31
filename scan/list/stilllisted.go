package list

import (
	"context"
	"strings"
)

// KeysBetween lists again what lies behind the key after, until it has seen a key from through on. It returns the keys,
// and the last key up to which they are all that the store lists. Where the store does not sort its keys as bytes, or
// ends the listing early, that key is below through; "" where nothing is known. Its error is that of a LIST.
func (l *Lister) KeysBetween(
	ctx context.Context, after, through string,
) (keys map[string]bool, upTo string, err error) {
	keys, upTo = map[string]bool{}, after
	if l.anyOrder() {
		return keys, "", nil
	}
	for {
		a, err := l.list(ctx, request{after: upTo, keysMax: pageKeysMax})
		if err != nil {
			return nil, "", err
		}
		before := upTo
		for i := range a.Entries {
			key := a.Entries[i].Key
			switch {
			case i == 0 && key == upTo:
				continue // the store takes start-after as inclusive
			case key <= upTo:
				return keys, "", nil
			}
			upTo = strings.Clone(key)
			keys[upTo] = true
		}
		if !a.Truncated || upTo == before || upTo >= through {
			return keys, upTo, nil
		}
	}
}

// HasKey asks by one LIST whether the store lists a key now. Where keys are in any order of texts, a key comes before
// all others that begin with it. Its error is that of the LIST.
func (l *Lister) HasKey(ctx context.Context, key string) (bool, error) {
	a, err := l.list(ctx, request{prefix: key, keysMax: pageKeysMax}) // MinIO ends listings early that ask for less
	if err != nil {
		return false, err
	}
	for i := range a.Entries {
		if a.Entries[i].Key == key {
			return true, nil
		}
	}
	return false, nil
}
