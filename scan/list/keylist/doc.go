// Package keylist reads the keys of a scan from a text: lines, keys that end in NULs, CSV, or lines of JSON.
//
//   - A File is the text. It hands out its keys in its own order, once, in memory that does not grow with it.
//   - A place is how far the text is read: the number of bytes, and a checksum of them. So a resumed run knows whether
//     the text in front of the place is still the same; what is behind it may have changed.
//   - A decoder reads the keys of one form.
package keylist
