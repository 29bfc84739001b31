// Package list lists a bucket. Its nouns:
//
//   - A Lister sends LIST requests (ListObjectsV2, or V1) and retries them.
//   - A Range is an interval of keys: the unit in which a listing is split, handed out and resumed.
//   - A Pager lists one Range. It hands out Pages of Entries, each key once and in order.
//   - A ParallelLister has several Pagers, and splits their Ranges while they list.
//   - Keys are a listing that was made before.
//   - Names are the names that the object of an encoded key may have. A GoneChecker finds out whether an object that is
//     not found is still listed.
//   - A PageSource is a Pager, or walks known keys.
//
// The package trusts a listing only as far as it can check it. pager.go guards against the mistakes of real stores. A
// mistake that cannot be repaired is a ProtocolError, never a listing that merely ends. proof.go says why the Ranges of
// several Pagers are the whole bucket, and anyorder.go lists a bucket whose keys are in no order of bytes.
package list
