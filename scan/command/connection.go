package command

import (
	"cmp"
	"context"
	"errors"

	"github.com/urfave/cli/v2"

	"headcount/scan/exit"
	"headcount/scan/store"
)

// ConnectionFlags returns the flags that say how to reach a bucket. ParseStore reads all of them but --list-objects-v1,
// which is for the lister.
func ConnectionFlags() []cli.Flag {
	addressing := OneOf("", store.AddressingAuto, store.AddressingPath, store.AddressingVirtual)
	return Category("connection",
		&cli.GenericFlag{
			Name: "endpoint-url", Value: ParsedList(parseEndpoint).PrintedBy(store.RedactURL),
			Usage: "reach the store at this `URL`; several URLs share the load (the data VIPs of a FlashBlade), " +
				"and a slow one gets less of it",
		},
		&cli.StringFlag{Name: "profile", Usage: "use the credentials and the region of the profile `NAME`"},
		&cli.StringFlag{
			Name: "region", DefaultText: "as configured, else us-east-1; the store may correct it",
			Usage: "sign requests for this `REGION`",
		},
		&cli.BoolFlag{Name: "no-sign-request", Usage: "send no credentials"},
		&cli.BoolFlag{
			Name: "request-payer", Usage: "agree to pay for the requests to another owner's bucket",
		},
		&cli.GenericFlag{
			Name: "ca-bundle", Value: CABundle(),
			Usage: "trust the certificate authorities in this PEM `FILE`",
		},
		&cli.BoolFlag{
			Name:  "no-verify-ssl",
			Usage: "accept any certificate: unsafe, since any machine may answer in place of the store",
		},
		&cli.GenericFlag{
			Name: "addressing", Value: addressing, DefaultText: "addressing_style of ~/.aws/config, else auto",
			Usage: "put the bucket into the URL by this `STYLE`; auto is virtual for AWS",
		},
		&cli.BoolFlag{
			Name: "list-objects-v1", Usage: "list with ListObjects, for stores without ListObjectsV2",
		},
	)
}

// ParseStore reads the connection flags. connections is how many requests are in flight at most.
func ParseStore(c *cli.Context, bucket string, connections int) (store.Config, error) {
	cfg := store.Config{
		Bucket: bucket, Endpoints: Get[[]string](c, "endpoint-url"), Profile: c.String("profile"),
		Region: c.String("region"), Anonymous: c.Bool("no-sign-request"), RequestPayer: c.Bool("request-payer"),
		CABundle: Get[string](c, "ca-bundle"), NoVerifyTLS: c.Bool("no-verify-ssl"),
		Addressing: Get[store.Addressing](c, "addressing"), Connections: connections,
	}
	if cfg.Anonymous && cfg.RequestPayer {
		return cfg, Conflict("--request-payer", "--no-sign-request", "a request without credentials has no payer")
	}
	return cfg, nil
}

// OpenStore opens a Store. Its error is a usage error, a *store.CredentialsError, or the cause of ctx's end.
func OpenStore(ctx context.Context, cfg store.Config) (*store.Store, error) {
	opened, err := store.Open(ctx, cfg)
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case errors.As(err, new(*store.CredentialsError)):
		return nil, err
	case err != nil:
		const otherwise = "see --profile, --region, the AWS_ variables and ~/.aws/config"
		return nil, exit.Usagef(cmp.Or(exit.Hint(err), otherwise), "%v", err)
	}
	return opened, nil
}

func parseEndpoint(text string) (string, error) {
	var wrong *store.EndpointURLError
	if errors.As(store.CheckEndpoint(text), &wrong) {
		return "", BadValue(wrong.Hint(), "the endpoint "+wrong.What)
	}
	return text, nil
}

// CABundle returns a Value of the names of files with certificates. It checks the file, since the SDK's error does not
// name the wrong one of its sources.
func CABundle() *Value[string] {
	return Parsed("", func(name string) (string, error) {
		if err := store.CheckCABundle(name); err != nil {
			return "", BadValue("write --ca-bundle FILE: certificates in PEM", exit.WithoutPath(err).Error())
		}
		return name, nil
	})
}
