// Package seed fills a bucket with objects whose metadata are known, and removes just those again. Nothing else of headcount
// writes to a bucket.
//
// The nouns:
//
//   - Folder: the keys below PREFIX/headcount-seed/. No other key is ever put or deleted.
//   - Marker: x-amz-meta-headcount-seed, which every object carries that was put. Its value is the hash of the object's own key,
//     so that a copy of it under another key, or an answer that was meant for another object, has the wrong one.
//   - Shape: how keys look, as s3sim has them, and Metadata: what an object carries beside the Marker. Both follow from the key.
//   - Seed: a run that lists the Folder and puts what is missing.
//   - Clean: a run that lists the Folder, HEADs each object, and deletes it if it has the Marker.
//   - Foreign: an object in the Folder without its Marker. It stays.
//
// Both send what they send through the same run: it waits for a pace.Limiter before each request (a DELETE goes with its HEAD), sends
// again what met passing trouble, and counts. A refusal is believed when it came twice, and a LIST in between was answered.
//
// What is promised:
//
//   - Seed: objects = there + put + failed, if it returns nil; a run that was stopped is gone on with by another one.
//     What the LIST at its beginning finds under a key is kept. What somebody puts under one of the missing keys after that, hours later
//     perhaps, is written over when its turn comes: If-None-Match, the condition against that, is one that not all stores honour.
//   - Clean: listed = removed + foreign + gone + failed, if it returns nil, and what a LIST finds at the end beyond the
//     foreign and failed ones is counted as left. Nothing is deleted that did not have the Marker at its
//     HEAD, by the same endpoint. Every DELETE follows a HEAD of its own, one that is sent again too, and does not wait for the gate in between. What somebody
//     writes over the object from then until the DELETE is heard is deleted: no condition of a DELETE is one that all stores honour.
package seed
