// Package seed fills a bucket with objects whose metadata are known, and removes exactly these objects again. No other
// package of headcount writes to a bucket.
//
// The nouns:
//
//   - Folder: the keys below PREFIX/headcount-seed/. No other key is ever put or deleted.
//   - Marker: x-amz-meta-headcount-seed, which every object of a Seed carries. Its value is the hash of the object's
//     own key. A copy of the object under another key has the wrong value, and so has the answer of another object.
//   - Shape: the form of the keys, as in s3sim. Metadata: the metadata of an object beside the Marker. Both follow from
//     the key.
//   - Files: the files of a directory, which a Seed can put instead. Their metadata are those of s3fs.
//   - Seed: a run that lists the Folder and puts the missing objects.
//   - Clean: a run that lists the Folder, sends a HEAD for each object, and deletes the object if it has the Marker.
//   - Foreign: an object in the Folder without its Marker. It stays.
//
// Both send their requests through the type run. It waits for a pace.Limiter before each request (a DELETE goes with
// its HEAD), retries transient failures, and counts. A refusal is final when the request was refused twice, and a LIST
// in between was answered.
//
// The guarantees:
//
//   - Seed: if it returns nil, objects = present + put + failed. Another Seed continues a run that was stopped. An
//     object that the LIST at the beginning finds is kept. An object that somebody puts under a missing key after the
//     LIST, perhaps hours later, is overwritten: not all stores honour the condition against that, If-None-Match.
//   - Clean: if it returns nil, listed = removed + foreign + gone + failed, and objects that a LIST at the end finds
//     beyond the foreign and failed ones are counted as left. An object is deleted only if its HEAD, sent to the same
//     endpoint, found the Marker. Every DELETE, a retry too, directly follows a HEAD, without a wait for the limiter.
//     An object that somebody writes between HEAD and DELETE is deleted: no condition of a DELETE is honoured by all
//     stores.
package seed
