package cli

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"headcount/bench/s3sim"
	"headcount/scan"
	"headcount/scan/command"
	"headcount/scan/durable"
	"headcount/scan/exit"
)

const serveDescription = `Serves a synthetic bucket over the S3 protocol until it is stopped. Keys and metadata are
computed, so a billion objects need no memory. The bucket can be slow, faulty and broken in the ways that real stores
are.

    headcount bench serve --objects 1000000 --latency 5ms
    headcount bench serve --shape nasty --access-key alice --secret-key wonderland
    headcount bench serve --fault 503-empty=0.05 --fault rst-in-headers=0.01
    headcount bench serve --rate-max 5500
    headcount bench serve --connections-max 24 --excess hang
    headcount bench serve --latency 5ms --stall 500ms --stall-every 10s
    headcount bench serve --quirk ends-early
    headcount bench serve --list-form ceph
    headcount bench serve --versions 3000

It prints the flags by which headcount scan reaches the bucket. A signal ends it.`

func serveCommand() *cli.Command {
	return &cli.Command{
		Name:        "serve",
		Usage:       "serve a synthetic bucket of any size",
		Description: serveDescription,
		Flags:       slices.Concat(serverFlags(), bucketFlags(), faultFlags()),
		Action:      runServe,
	}
}

func serverFlags() []cli.Flag {
	return command.Category("server",
		&cli.StringFlag{
			Name: "addr", Value: "127.0.0.1:9000", Usage: "listen on `HOST:PORT`; port 0 is any free port",
		},
		&cli.StringFlag{Name: "access-key", Usage: "verify signatures by the access `KEY`"},
		&cli.StringFlag{Name: "secret-key", Usage: "verify signatures by the secret `KEY`"},
		&cli.StringFlag{Name: "region", Value: "us-east-1", Usage: "accept signatures for `REGION`"},
		&cli.StringFlag{Name: "tls-cert", Usage: "serve TLS with the certificate in the PEM `FILE`"},
		&cli.StringFlag{Name: "tls-key", Usage: "serve TLS with the key in the PEM `FILE`"},
		&cli.GenericFlag{
			Name: "list-form", Value: command.OneOf(s3sim.ListAWS, s3sim.ListForms()...),
			Usage: "list in the form of the store `NAME`",
		},
	)
}

func bucketFlags() []cli.Flag {
	return command.Category("bucket",
		&cli.StringFlag{Name: "bucket", Value: bucketDefault, Usage: "serve the bucket `NAME`"},
		&cli.GenericFlag{
			Name: "objects", Value: command.Int[int64](objectsDefault, 0, 0), Usage: "serve `N` objects",
		},
		&cli.GenericFlag{
			Name: "shape", Value: command.OneOf(s3sim.Flat, s3sim.Shapes()...), Usage: "make keys of the shape `NAME`",
		},
		&cli.GenericFlag{
			Name: "versions", Value: command.Int[int64](0, 0, 0), DefaultText: "no versioning",
			Usage: "keep up to `N` versions of each key, among them delete markers",
		},
		&cli.BoolFlag{Name: "no-versions", Usage: "answer 501 to listings of versions"},
		&cli.GenericFlag{
			Name: "tagging", Value: command.OneOf(s3sim.TagsCounted, s3sim.Taggings()...),
			Usage: "tell the tags of --attributes as `NAME` says",
		},
		&cli.GenericFlag{
			Name: "annotations", Value: command.Int[int64](0, 0, 0), DefaultText: "not implemented",
			Usage: "give objects up to `N` annotations",
		},
		&cli.BoolFlag{
			Name:  "attributes",
			Usage: "give objects storage classes, encryption, replication, locks, tags and cache rules",
		},
		&cli.BoolFlag{
			Name:  "all-attributes",
			Usage: "add restored objects, holds, uploads in parts, more classes and headers to --attributes",
		},
		&cli.GenericFlag{
			Name: "customer-keys", Value: command.Fraction(),
			Usage: "encrypt a `FRACTION` of the objects with the customer's key \"" + s3sim.CustomerKey + "\"",
		},
		&cli.BoolFlag{Name: "kms-denied", Usage: "answer 403 to HEADs that need a key of KMS for a checksum"},
		&cli.BoolFlag{Name: "no-restore-status", Usage: "answer 501 to LISTs that ask for the restore of objects"},
	)
}

func faultFlags() []cli.Flag {
	return command.Category("delays and faults",
		&cli.GenericFlag{Name: "latency", Value: command.Duration(0, 0), Usage: "add `DURATION` to every HEAD"},
		&cli.GenericFlag{Name: "list-latency", Value: command.Duration(0, 0), Usage: "add `DURATION` to every LIST"},
		&cli.GenericFlag{
			Name: "stall", Value: command.Duration(0, 0),
			Usage: "answer nothing for `DURATION`, repeatedly (--stall-every)",
		},
		&cli.GenericFlag{
			Name: "stall-every", Value: command.Duration(0, 0),
			Usage: "begin a stall every `DURATION`, the first at once",
		},
		&cli.GenericFlag{
			Name: "rate-max", Value: command.Positive(command.RateMax), DefaultText: "no limit",
			Usage: "answer `N` requests per second, and the others with 503",
		},
		&cli.GenericFlag{
			Name: "connections-max", Value: command.Int(0, 1, 0), DefaultText: "no limit",
			Usage: "serve `N` connections at once",
		},
		&cli.GenericFlag{
			Name: "excess", Value: command.OneOf(s3sim.ExcessReset, s3sim.Excesses()...),
			Usage: "treat connections above --connections-max as `NAME` says",
		},
		&cli.GenericFlag{
			Name: "fault", Value: command.ParsedList(parseFault),
			Usage: "fail a share of the requests: `KIND=RATE`, with a rate up to 1; KIND is one of " +
				joinNames(s3sim.FaultKinds()),
		},
		&cli.GenericFlag{
			Name: "quirk", Value: command.OneOf("", s3sim.Quirks()...), Usage: "break listings by the quirk `NAME`",
		},
		&cli.GenericFlag{
			Name: "gone", Value: command.Fraction(), Usage: "answer 404 to HEADs of a `FRACTION` of the listed objects",
		},
		&cli.GenericFlag{
			Name: "denied", Value: command.Fraction(), Usage: "answer 403 to HEADs of a `FRACTION` of the objects",
		},
		&cli.GenericFlag{
			Name: "seed", Value: command.Int[int64](0, 0, 0),
			Usage: "choose the requests that meet a fault by the seed `N`",
		},
	)
}

func runServe(c *cli.Context) error {
	if c.NArg() > 0 {
		return exit.Usagef(helpHint(c), "bench serve takes no argument, but got %q", c.Args().First())
	}
	options := parseServe(c)
	certificate, err := parseCertificate(c)
	if err != nil {
		return err
	}
	server, err := s3sim.New(options)
	if err != nil {
		return exit.Usagef(helpHint(c), "%s", strings.TrimPrefix(err.Error(), "s3sim: "))
	}
	listener, err := net.Listen("tcp", c.String("addr"))
	if err != nil {
		return listenError(err)
	}
	return serve(c.Context, server, listener, certificate, options, command.Stdout(c))
}

func joinNames[T ~string](names []T) string {
	texts := make([]string, len(names))
	for i, name := range names {
		texts[i] = string(name)
	}
	return strings.Join(texts, ", ")
}

func parseServe(c *cli.Context) s3sim.Options {
	return s3sim.Options{
		Bucket: c.String("bucket"), Objects: command.Get[int64](c, "objects"), Shape: command.Get[s3sim.Shape](c, "shape"),
		Attributes: c.Bool("attributes"), AllAttributes: c.Bool("all-attributes"),
		CustomerKeys: command.Get[float64](c, "customer-keys"), KMSDenied: c.Bool("kms-denied"),
		NoRestoreStatus: c.Bool("no-restore-status"), NoVersions: c.Bool("no-versions"),
		Tagging: command.Get[s3sim.Tagging](c, "tagging"), Annotations: command.Get[int64](c, "annotations"),
		Versions:       command.Get[int64](c, "versions"),
		Latency:        command.Get[time.Duration](c, "latency"),
		ListLatency:    command.Get[time.Duration](c, "list-latency"),
		Stall:          command.Get[time.Duration](c, "stall"),
		StallEvery:     command.Get[time.Duration](c, "stall-every"),
		RateMax:        command.Get[float64](c, "rate-max"),
		ConnectionsMax: command.Get[int](c, "connections-max"), Excess: command.Get[s3sim.Excess](c, "excess"),
		Credentials: s3sim.Credentials{AccessKey: c.String("access-key"), SecretKey: c.String("secret-key")},
		Region:      c.String("region"), Quirk: command.Get[s3sim.Quirk](c, "quirk"),
		ListForm: command.Get[s3sim.ListForm](c, "list-form"), Faults: command.Get[[]s3sim.Fault](c, "fault"),
		Gone: command.Get[float64](c, "gone"), Denied: command.Get[float64](c, "denied"),
		Seed: uint64(command.Get[int64](c, "seed")),
	}
}

func parseFault(text string) (s3sim.Fault, error) {
	kind, rate, _ := strings.Cut(text, "=")
	share, err := strconv.ParseFloat(rate, 64)
	if err != nil {
		return s3sim.Fault{}, command.BadValue("write --fault 503-empty=0.05", "not a kind and a rate")
	}
	return s3sim.Fault{Kind: s3sim.FaultKind(kind), Rate: share}, nil
}

// parseCertificate loads the files of --tls-cert and --tls-key; nil: neither is given.
func parseCertificate(c *cli.Context) (*tls.Config, error) {
	const hint = "--tls-cert FILE --tls-key FILE, both PEM"
	certFile, keyFile := c.String("tls-cert"), c.String("tls-key")
	switch {
	case certFile == "" && keyFile == "":
		return nil, nil
	case keyFile == "":
		return nil, exit.Usagef(hint, "--tls-cert needs --tls-key")
	case certFile == "":
		return nil, exit.Usagef(hint, "--tls-key needs --tls-cert")
	}
	certificate, err := tls.Certificate{}, cmp.Or(durable.CheckFile(certFile), durable.CheckFile(keyFile))
	if err == nil {
		certificate, err = tls.LoadX509KeyPair(certFile, keyFile)
	}
	if err != nil {
		return nil, exit.Usagef(hint, "--tls-cert %s, --tls-key %s: %v", certFile, keyFile, err)
	}
	return &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}, nil
}

// listenError distinguishes an address that is in use from one that is invalid, which is a usage error.
func listenError(err error) error {
	if errors.As(err, new(*os.SyscallError)) {
		return exit.WithHint(err, "--addr 127.0.0.1:0 chooses a free port")
	}
	return exit.Usagef("--addr HOST:PORT", "%v", err)
}

// serve serves until ctx ends, which is no error.
func serve(
	ctx context.Context, server *s3sim.Server, l net.Listener, certificate *tls.Config, o s3sim.Options,
	stdout io.Writer,
) error {
	scheme := "http"
	if certificate != nil {
		scheme, l = "https", tls.NewListener(l, certificate)
	}
	if _, err := fmt.Fprintln(stdout, scanFlags(scheme+"://"+l.Addr().String(), o)); err != nil {
		return errors.Join(scan.WrapOutput(err), l.Close())
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
		return server.Close()
	}
}

// scanFlags returns the flags by which headcount scan reaches the bucket. Its credentials come from the environment.
func scanFlags(url string, o s3sim.Options) string {
	flags := "--endpoint-url " + url + " s3://" + o.Bucket
	if o.AccessKey == "" {
		flags = "--no-sign-request " + flags
	}
	return flags
}
