package main

import "github.com/urfave/cli/v2"

// connectionFlags are those that say how to reach a bucket, for every command that takes one. parseStore reads all but the last, which is about its listings.
func connectionFlags() []cli.Flag {
	const category = "connection"
	return []cli.Flag{
		&cli.StringSliceFlag{Name: "endpoint-url", Usage: "reach the store at this `URL`; several share the load (the data VIPs of a FlashBlade), and one that is slow gets less", Category: category},
		&cli.StringFlag{Name: "profile", Usage: "take credentials and region from the profile `NAME`", Category: category},
		&cli.StringFlag{Name: "region", Usage: "sign for this `REGION` (default: as configured, else us-east-1; the store may know better)", Category: category},
		&cli.BoolFlag{Name: "no-sign-request", Usage: "send no credentials", Category: category},
		&cli.BoolFlag{Name: "request-payer", Usage: "agree to pay for the requests to somebody else's bucket", Category: category},
		&cli.StringFlag{Name: "ca-bundle", Usage: "trust the certificate authorities in this PEM `FILE`", Category: category},
		&cli.BoolFlag{Name: "no-verify-ssl", Usage: "accept any certificate: unsafe, since anybody may answer in the place of the store", Category: category},
		&cli.StringFlag{Name: "addressing", Value: "auto", Usage: "write the bucket into the path, or before the host: `STYLE` is path, virtual, or auto (virtual for AWS)", Category: category},
		&cli.BoolFlag{Name: "list-objects-v1", Usage: "list by ListObjects, for stores that do not know ListObjectsV2", Category: category},
	}
}
