package s3sim

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// Options configures a Server. The zero value is a healthy, anonymous, empty bucket "demo" of flat keys in us-east-1.
type Options struct {
	// Bucket is the name of the only bucket. Any other bucket is 404 NoSuchBucket. "" is "demo".
	Bucket string
	// Objects is the number of keys, at most 10^12.
	Objects int64
	// Shape is the pattern of the keys. "" is Flat.
	Shape Shape
	// XMLSafe omits the keys of the Nasty shape that XML 1.0 cannot represent. Without encoding-type=url they are
	// listed with U+FFFD, as versitygw does.
	XMLSafe bool

	// Versions is the greatest number of versions of a key. Half of the keys have one version, others have up to nine,
	// and one in a thousand has at least half of Versions. Some versions are delete markers, some are the null version.
	// 0: a bucket without versioning, as which ListObjectVersions lists a null version of each key.
	Versions int64

	// Latency and ListLatency are the times between the arrival of a HEAD or a LIST and its response. The latencies of
	// pipelined requests overlap. The resolution is that of the runtime's timers, about a millisecond on an idle
	// machine.
	Latency, ListLatency time.Duration

	// Stall is how long the Server answers nothing at the start of each StallEvery, which counts from New. The Server
	// handles requests that arrive during a stall when the stall ends. It accepts connections during a stall. Zeros:
	// never.
	Stall, StallEvery time.Duration

	// RateMax is the number of requests, all but those about the bucket counted together, that the Server answers per
	// second. It answers those above with 503 SlowDown before any other check. Unused requests of a twentieth of a second
	// can be saved up. 0: no limit.
	RateMax float64

	// ConnectionsMax is the number of connections that the Server serves at once. Excess is what it does with those
	// above; "" resets them. 0: no maximum.
	ConnectionsMax int
	Excess         Excess

	// ClockAhead is how far the server's clock is ahead of the client's, below 0 behind it. The Date header shows it,
	// and the Server refuses a signature that is more than 15 minutes off.
	ClockAhead time.Duration

	// Credentials are those with which requests must be signed. With an empty AccessKey the Server verifies nothing and
	// accepts anonymous requests.
	Credentials
	// Region is the bucket's region. "" is us-east-1. It matters where signatures are verified: a signature for another
	// region fails with 400 AuthorizationHeaderMalformed and x-amz-bucket-region.
	Region string
	// RedirectRegion answers a signature for another region with 301 PermanentRedirect instead.
	RedirectRegion bool
	// RefuseHead404 makes a HEAD that Refuse refuses a 404, as versitygw answers an unknown access key.
	RefuseHead404 bool

	// Gone and the following are the fractions of keys with a HeadState, chosen by a hash of the key. Their sum is at
	// most 1.
	Gone         float64 // HeadGone: 404, and not listed any more
	Stale        float64 // HeadStale: 404, and listed for ever
	DeleteMarked float64 // HeadDeleteMarked: 405
	Denied       float64 // HeadDenied: 403
	Rewritten    float64 // HeadRewritten: 200 with another ETag and length, and a later Last-Modified
	Unlike       float64 // HeadUnlike: 200 with another ETag and length
	WebPage      float64 // HeadWebPage: 200 with a web page
	Broken500    float64 // HeadBroken500: 500

	// Faults are drawn for every request. The rates of the faults that affect one operation add up to at most 1.
	Faults []Fault
	// RefuseFor is how long the fault "refuse" refuses connections. 0 is 2 s.
	RefuseFor time.Duration
	// ByteEvery is the pause between the bytes of the fault "byte-per-second". 0 is 1 s.
	ByteEvery time.Duration
	// Quirk is the deviation of all listings. "" is none. Listings of versions have only those of the encoding, of
	// max-keys and of a missing token.
	Quirk Quirk
	// ListForm is the store whose listings the Server imitates. "" is ListAWS. Versions are listed as on AWS.
	ListForm ListForm
	// ListMetadata answers ListObjectsV2 with metadata=true as MinIO does, with the user metadata of each object, and
	// sends "Server: MinIO". Otherwise the Server ignores the parameter, as other stores do.
	ListMetadata bool
	// ListMetadataWrongFrom is the number, counted from 1, of the first key that is listed with other metadata than its
	// HEAD returns. All following keys are too. 0: none.
	ListMetadataWrongFrom int64
	// MetadataPrefix begins the names of the headers of user metadata in place of x-amz-meta-, as with other vendors'
	// protocols. "" is x-amz-meta-.
	MetadataPrefix string
	// NoVersions answers ListObjectVersions with 501. Not with Versions.
	NoVersions bool
	// Tagging is how the store tells the tags, which objects have with Attributes. "" is TagsCounted.
	Tagging Tagging
	// Annotations is the greatest number of annotations of an object. 0: ListObjectAnnotations is 501.
	Annotations int64
	// Attributes gives the objects what an audit asks for: storage classes, encryption, replication, locks and more.
	// Not with the shape Nasty.
	Attributes bool
	// AllAttributes adds to Attributes what rarer questions are about: restored objects, holds, uploads in parts, classes
	// of archives, objects without encryption, and headers about the content.
	AllAttributes bool
	// CustomerKeys is the fraction of objects that CustomerKey encrypts. Their HEADs need the key, those of other objects
	// must not have one. The Server takes the key over HTTP too.
	CustomerKeys float64
	// KMSDenied answers 403 to a HEAD with x-amz-checksum-mode of an object that a key of KMS encrypts, as for a client
	// without the right kms:Decrypt.
	KMSDenied bool
	// NoRestoreStatus answers 501 to a LIST that asks for the RestoreStatus of objects.
	NoRestoreStatus bool
	// Seed chooses the requests that a Fault affects. Keys, objects and HeadStates do not depend on it.
	Seed uint64
}

// Credentials are the keys with which a client signs.
type Credentials struct {
	AccessKey, SecretKey string
	SessionToken         string // "": none
}

// objectsMax keeps every counter of every shape within its fixed width of twelve digits. With more digits the bytewise
// order of the keys would differ from the order of the numbers.
const objectsMax = 1e12

// versionsMax keeps the versions of a key apart by a second or so.
const versionsMax = 1_000_000

// withDefaults replaces zero values by their defaults.
func (o Options) withDefaults() Options {
	if o.Bucket == "" {
		o.Bucket = "demo"
	}
	if o.Region == "" {
		o.Region = "us-east-1"
	}
	if o.Shape == "" {
		o.Shape = Flat
	}
	if o.ListForm == "" {
		o.ListForm = ListAWS
	}
	o.Attributes = o.Attributes || o.AllAttributes
	if o.Tagging == "" {
		o.Tagging = TagsCounted
	}
	if o.Excess == "" {
		o.Excess = ExcessReset
	}
	if o.RefuseFor == 0 {
		o.RefuseFor = 2 * time.Second
	}
	if o.ByteEvery == 0 {
		o.ByteEvery = time.Second
	}
	return o
}

// check returns an error that names the invalid option and the allowed values.
func (o Options) check() error {
	if !slices.Contains(Shapes(), o.Shape) {
		return fmt.Errorf("unknown shape %q: one of %s", o.Shape, join(Shapes()))
	}
	if o.Attributes && o.Shape == Nasty {
		return errors.New("attributes and the shape nasty: give one of them")
	}
	if o.Quirk != "" && !slices.Contains(Quirks(), o.Quirk) {
		return fmt.Errorf("unknown quirk %q: one of %s", o.Quirk, join(Quirks()))
	}
	if o.Quirk.comparison() != nil && o.Objects > orderedObjectsMax {
		return fmt.Errorf("%d objects with quirk %s: must be at most %d", o.Objects, o.Quirk, orderedObjectsMax)
	}
	if o.Versions < 0 || o.Versions > versionsMax {
		return fmt.Errorf("%d versions: must be from 0 to %d", o.Versions, versionsMax)
	}
	if o.Versions > 0 && o.Quirk.comparison() != nil {
		return fmt.Errorf("versions with quirk %s: give one of them", o.Quirk)
	}
	if o.Versions > 0 && o.NoVersions {
		return errors.New("versions that cannot be listed: give one of them")
	}
	if !slices.Contains(Taggings(), o.Tagging) {
		return fmt.Errorf("unknown tagging %q: one of %s", o.Tagging, join(Taggings()))
	}
	if o.Annotations < 0 || o.Annotations > annotationsMax {
		return fmt.Errorf("%d annotations: must be from 0 to %d", o.Annotations, annotationsMax)
	}
	if !slices.Contains(ListForms(), o.ListForm) {
		return fmt.Errorf("unknown list form %q: one of %s", o.ListForm, join(ListForms()))
	}
	if !slices.Contains(Excesses(), o.Excess) {
		return fmt.Errorf("unknown excess %q: one of %s", o.Excess, join(Excesses()))
	}
	if o.ConnectionsMax < 0 {
		return fmt.Errorf("%d connections: must not be below 0", o.ConnectionsMax)
	}
	if o.Objects < 0 || o.Objects > objectsMax {
		return fmt.Errorf("%d objects: must be from 0 to %d", o.Objects, int64(objectsMax))
	}
	if strings.ContainsAny(o.Bucket, "/?#% \r\n") {
		return fmt.Errorf("bucket %q: the name must not contain / ? # %% or blanks", o.Bucket)
	}
	for _, d := range []time.Duration{o.Latency, o.ListLatency, o.RefuseFor, o.ByteEvery} {
		if d < 0 {
			return fmt.Errorf("duration %s: must not be below 0", d)
		}
	}
	if err := checkStall(o.Stall, o.StallEvery); err != nil {
		return err
	}
	if !(o.RateMax >= 0) || math.IsInf(o.RateMax, 1) { // negated, so that NaN is refused
		return fmt.Errorf("%v requests per second: must be finite and not below 0", o.RateMax)
	}
	if o.ListMetadataWrongFrom != 0 && !o.ListMetadata || o.ListMetadataWrongFrom < 0 {
		return fmt.Errorf("wrong metadata from key %d: must be from 0, and above 0 only with ListMetadata",
			o.ListMetadataWrongFrom)
	}
	if err := checkShares("customer's keys", o.CustomerKeys); err != nil {
		return err
	}
	if o.AccessKey != "" && o.SecretKey == "" {
		return fmt.Errorf("access key %q without a secret key", o.AccessKey)
	}
	states := []float64{o.Gone, o.Stale, o.DeleteMarked, o.Denied, o.Rewritten, o.Unlike, o.WebPage, o.Broken500}
	if err := checkShares("HEAD states", states...); err != nil {
		return err
	}
	return checkFaults(o.Faults)
}

// checkShares refuses fractions below 0 and fractions above 1 in total. The comparisons are negated so that NaN is
// refused.
func checkShares(name string, shares ...float64) error {
	total := 0.0
	for _, share := range shares {
		if !(share >= 0 && share <= 1) {
			return fmt.Errorf("%s: fraction %v: must be from 0 to 1", name, share)
		}
		total += share
	}
	// Rounding may exceed 1 by a thousandth of a percent: ten times 0.1 is not 1.
	if total > 1.00001 {
		return fmt.Errorf("%s: fractions add up to %v: the sum must be at most 1", name, total)
	}
	return nil
}

// join returns the names as a list for an error message.
func join[T ~string](names []T) string {
	texts := make([]string, len(names))
	for i, name := range names {
		texts[i] = string(name)
	}
	return strings.Join(texts, ", ")
}
