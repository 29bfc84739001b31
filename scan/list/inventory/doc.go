// Package inventory reads an S3 Inventory: the list of a bucket's objects that AWS writes once a day or week. An
// Inventory takes the place of the listing: it needs no LIST, and has columns that no LIST has.
//
//   - The manifest (manifest.go) names the bucket, the columns, and the data files with their checksums.
//   - A data file (datafile.go) is CSV or Parquet. No row of it is read before its size and checksum are compared.
//   - A row (row.go) is the texts of the columns that headcount knows, and becomes a list.Entry.
//   - An Inventory (inventory.go) hands out the rows as Pages. Their places are the number of the file and of the row.
//
// What is wrong with an Inventory is an *Error, which names the file, and the line or row. It ends a run with the exit
// code 2.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory.html
package inventory
