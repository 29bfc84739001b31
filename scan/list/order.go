package list

// Order says how a store sorts the keys that it lists.
type Order uint8

const (
	// OrderBytes is the order of S3: keys are compared as bytes. Only this order allows Ranges: several Pagers at once,
	// and another listing that begins at a key.
	OrderBytes Order = iota

	// OrderAny is any other order, or none: folder by folder (SeaweedFS), UTF-16 (NooBaa, CloudServer), a locale, or that
	// of encrypted keys (Storj). The only way through such a bucket is one listing that follows continuation tokens.
	OrderAny
)

// anyOrder reports whether the bucket is listed by continuation tokens alone. Directory buckets of S3 Express have no
// order.
func (l *Lister) anyOrder() bool {
	return l.cfg.Order == OrderAny || l.cfg.Store.Unordered()
}

// orderHint is the hint of an error about keys that are not in order.
const orderHint = "--list-order any lists such a bucket in the store's order; " +
	"it excludes --start-after, --end-at, --ordered and --listers above 1"
