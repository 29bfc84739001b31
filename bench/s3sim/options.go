package s3sim

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// Options says what a Server is. The zero value is a healthy, anonymous, empty
// bucket "demo" of flat keys in us-east-1.
type Options struct {
	// Bucket is the one bucket there is; any other is 404 NoSuchBucket. "" is "demo".
	Bucket string
	// Objects is the number of keys, at most 10^12.
	Objects int64
	// Shape is how keys look. "" is Flat.
	Shape Shape
	// XMLSafe leaves those keys out of the Nasty shape which XML 1.0 cannot
	// carry: without encoding-type=url they are listed as U+FFFD, as versitygw does.
	XMLSafe bool

	// Latency and ListLatency pass between the arrival of a HEAD or a LIST and
	// its answer. Pipelined requests overlap. The resolution is the runtime's
	// timers': about a millisecond on an idle machine.
	Latency, ListLatency time.Duration

	// Stall is how long nothing is answered at the begin of each StallEvery, counted from when New made the Server: what comes in it is
	// looked at when it ends. Connections are made meanwhile. Zeros: never.
	Stall, StallEvery time.Duration

	// RateMax is how many HEADs and LISTs are answered in a second, counted together; what is beyond that gets 503
	// SlowDown, before anything else is looked at. A twentieth of a second's worth can be saved up. 0: there is no limit.
	RateMax float64

	// ClockAhead is how far the server's clock is ahead of the client's, behind it where it is below 0: the Date of every
	// answer says so, and a signature that is more than 15 minutes off is refused.
	ClockAhead time.Duration

	// Credentials are what requests must be signed with. With an empty
	// AccessKey nothing is verified and anonymous requests are served.
	Credentials
	// Region is the bucket's. "" is us-east-1. It matters where signatures are
	// verified: one scoped to another region gets 400
	// AuthorizationHeaderMalformed, with x-amz-bucket-region.
	Region string
	// RedirectRegion answers the wrong region with 301 PermanentRedirect instead.
	RedirectRegion bool
	// RefuseHead404 makes a HEAD that Refuse refuses a 404, as versitygw does
	// for an access key it does not know.
	RefuseHead404 bool

	// Fates: the fraction of keys, chosen by a hash of the key, that have one.
	// They add up to 1 at most.
	Gone         float64 // 404: deleted since it was listed
	DeleteMarked float64 // 405 with x-amz-delete-marker: true
	Denied       float64 // 403 on this object alone
	Rewritten    float64 // another ETag and length than the LIST says
	Broken500    float64 // 500, always

	// Faults are drawn for every request. The rates of those that can hit one
	// operation add up to 1 at most.
	Faults []Fault
	// RefuseFor is how long the fault "refuse" keeps connections out. 0 is 2 s.
	RefuseFor time.Duration
	// ByteEvery is the pause between the bytes of the fault "byte-per-second". 0 is 1 s.
	ByteEvery time.Duration
	// Quirk is the one thing that listings do wrong. "" is none.
	Quirk Quirk
	// ListForm is the form in which keys are listed. "" is ListAWS.
	ListForm ListForm
	// ListMetadata answers ListObjectsV2 with metadata=true as MinIO does, with the custom metadata of each object, and says to be MinIO.
	// Otherwise the parameter is ignored, as elsewhere.
	ListMetadata bool
	// ListMetadataWrongFrom is the number, counted from 1, of the first key whose metadata are listed with another value than its HEAD
	// has; all that follow are too. 0: none.
	ListMetadataWrongFrom int64
	// Seed chooses which requests meet a Fault. Keys, objects and fates do not
	// depend on it.
	Seed uint64
}

// Credentials are what a client signs with.
type Credentials struct {
	AccessKey, SecretKey string
	SessionToken         string // "" when there is none
}

// objectsMax keeps every counter of every shape within its fixed width of
// twelve digits, without which the order of keys would not be the order of numbers.
const objectsMax = 1e12

// withDefaults fills in what was left empty.
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
	if o.RefuseFor == 0 {
		o.RefuseFor = 2 * time.Second
	}
	if o.ByteEvery == 0 {
		o.ByteEvery = time.Second
	}
	return o
}

// check returns an error that names what is wrong and what would be right.
func (o Options) check() error {
	if !slices.Contains(Shapes(), o.Shape) {
		return fmt.Errorf("unknown shape %q: one of %s", o.Shape, join(Shapes()))
	}
	if o.Quirk != "" && !slices.Contains(Quirks(), o.Quirk) {
		return fmt.Errorf("unknown quirk %q: one of %s", o.Quirk, join(Quirks()))
	}
	if !slices.Contains(ListForms(), o.ListForm) {
		return fmt.Errorf("unknown list form %q: one of %s", o.ListForm, join(ListForms()))
	}
	if o.Objects < 0 || o.Objects > objectsMax {
		return fmt.Errorf("%d objects: from 0 to %d", o.Objects, int64(objectsMax))
	}
	if strings.ContainsAny(o.Bucket, "/?#% \r\n") {
		return fmt.Errorf("bucket %q: a name without / ? # %% or blanks", o.Bucket)
	}
	for _, d := range []time.Duration{o.Latency, o.ListLatency, o.RefuseFor, o.ByteEvery} {
		if d < 0 {
			return fmt.Errorf("duration %s: not below 0", d)
		}
	}
	if err := checkStall(o.Stall, o.StallEvery); err != nil {
		return err
	}
	if !(o.RateMax >= 0) || math.IsInf(o.RateMax, 1) { // so that NaN is refused too
		return fmt.Errorf("%v requests per second: from 0", o.RateMax)
	}
	if o.ListMetadataWrongFrom != 0 && !o.ListMetadata || o.ListMetadataWrongFrom < 0 {
		return fmt.Errorf("metadata listed wrong from key %d on: from 0, and only where metadata are listed", o.ListMetadataWrongFrom)
	}
	if o.AccessKey != "" && o.SecretKey == "" {
		return fmt.Errorf("access key %q without a secret key", o.AccessKey)
	}
	if err := checkShares("fates", o.Gone, o.DeleteMarked, o.Denied, o.Rewritten, o.Broken500); err != nil {
		return err
	}
	return checkFaults(o.Faults)
}

// checkShares refuses fractions below 0 or above 1 in total. Written as "not
// within", so that NaN is refused too.
func checkShares(what string, shares ...float64) error {
	total := 0.0
	for _, share := range shares {
		if !(share >= 0 && share <= 1) {
			return fmt.Errorf("%s: fraction %v: from 0 to 1", what, share)
		}
		total += share
	}
	// A thousandth of a percent above 1 is rounding: 0.1 ten times is not 1.
	if total > 1.00001 {
		return fmt.Errorf("%s: fractions add up to %v: 1 at most", what, total)
	}
	return nil
}

// join lists names for an error message.
func join[T ~string](names []T) string {
	texts := make([]string, len(names))
	for i, name := range names {
		texts[i] = string(name)
	}
	return strings.Join(texts, ", ")
}
