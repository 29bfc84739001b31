package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"headcount/bench/s3sim"
	"headcount/scan"
	"headcount/scan/command"
	"headcount/scan/exit"
)

func benchCommand() *cli.Command {
	return &cli.Command{
		Name:      "bench",
		Usage:     "measure, and serve or seed what can be measured against",
		ArgsUsage: "COMMAND",
		Subcommands: []*cli.Command{
			headCommand(), serveCommand(), seedCommand(), cleanCommand(),
		},
		Action: func(c *cli.Context) error {
			return exit.Usagef("headcount bench --help", "bench needs a command: head, serve, seed or clean")
		},
	}
}

const serveDescription = `Serves a synthetic bucket by S3's protocol until it is stopped. Keys and metadata are computed, so a billion objects
cost no memory. It can be slow, faulty and broken in the ways that real stores are.

    headcount bench serve --objects 1000000 --latency 5ms
    headcount bench serve --shape nasty --access-key alice --secret-key wonderland
    headcount bench serve --fault 503-empty=0.05 --fault rst-in-headers=0.01
    headcount bench serve --rate-max 5500
    headcount bench serve --latency 5ms --stall 500ms --stall-every 10s
    headcount bench serve --quirk ends-early

It prints the flags with which headcount scan finds it; a signal ends it.`

func serveCommand() *cli.Command {
	return &cli.Command{
		Name:        "serve",
		Usage:       "serve a synthetic bucket of any size",
		Description: serveDescription,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "addr", Value: "127.0.0.1:9000", Usage: "`HOST:PORT` to listen on; port 0 takes a free one"},
			&cli.StringFlag{Name: "bucket", Value: demoBucket, Usage: "`NAME` of the bucket"},
			&cli.Int64Flag{Name: "objects", Value: demoObjects, Usage: "`N` objects"},
			&cli.GenericFlag{Name: "shape", Value: command.OneOf(s3sim.Flat, s3sim.Shapes()...), Usage: "make keys of the shape `NAME`"},
			&cli.DurationFlag{Name: "latency", Usage: "`DURATION` added to every HEAD"},
			&cli.DurationFlag{Name: "list-latency", Usage: "`DURATION` added to every LIST"},
			&cli.DurationFlag{Name: "stall", Usage: "answer nothing for this `DURATION`, and then go on, again and again"},
			&cli.DurationFlag{Name: "stall-every", Usage: "`DURATION` from the begin of a stall to that of the next; the first begins at once"},
			&cli.Float64Flag{Name: "rate-max", Usage: "answer `N` requests per second, and 503 to those beyond", DefaultText: "any number"},
			&cli.StringFlag{Name: "access-key", Usage: "verify signatures of this access `KEY`"},
			&cli.StringFlag{Name: "secret-key", Usage: "and this secret `KEY`"},
			&cli.StringFlag{Name: "region", Value: "us-east-1", Usage: "`REGION` that signatures must be made for"},
			&cli.StringFlag{Name: "tls-cert", Usage: "serve TLS with this PEM `FILE`"},
			&cli.StringFlag{Name: "tls-key", Usage: "and the key in this PEM `FILE`"},
			&cli.StringSliceFlag{Name: "fault", Usage: "`KIND=RATE` of a fault: " + names(s3sim.FaultKinds())},
			&cli.GenericFlag{Name: "quirk", Value: command.OneOf("", s3sim.Quirks()...), Usage: "break listings by the quirk `NAME`"},
			&cli.Float64Flag{Name: "gone", Usage: "`FRACTION` of the objects that are listed and answer 404"},
			&cli.Float64Flag{Name: "denied", Usage: "`FRACTION` of the objects that answer 403"},
			&cli.Uint64Flag{Name: "seed", Usage: "`N` that chooses which requests meet a fault"},
		},
		Action: func(c *cli.Context) error {
			if c.NArg() > 0 {
				return exit.Usagef("headcount bench serve --help", "bench serve takes no arguments, and %q is one", c.Args().First())
			}
			options, err := parseServe(c)
			if err != nil {
				return err
			}
			certificate, err := parseCertificate(c)
			if err != nil {
				return err
			}
			server, err := s3sim.New(options)
			if err != nil {
				return exit.Usagef("headcount bench serve --help", "%s", strings.TrimPrefix(err.Error(), "s3sim: "))
			}
			listener, err := net.Listen("tcp", c.String("addr"))
			if err != nil {
				return listenError(err)
			}
			return serve(c.Context, server, listener, certificate, options, c.App.Writer)
		},
	}
}

func names[T ~string](list []T) string { return strings.Join(texts(list), ", ") }

func texts[T ~string](list []T) []string {
	texts := make([]string, len(list))
	for i := range list {
		texts[i] = string(list[i])
	}
	return texts
}

func parseServe(c *cli.Context) (s3sim.Options, error) {
	options := s3sim.Options{
		Bucket: c.String("bucket"), Objects: c.Int64("objects"), Shape: command.Get[s3sim.Shape](c, "shape"),
		Latency: c.Duration("latency"), ListLatency: c.Duration("list-latency"),
		Stall: c.Duration("stall"), StallEvery: c.Duration("stall-every"), RateMax: c.Float64("rate-max"),
		Credentials: s3sim.Credentials{AccessKey: c.String("access-key"), SecretKey: c.String("secret-key")},
		Region:      c.String("region"), Quirk: command.Get[s3sim.Quirk](c, "quirk"),
		Gone: c.Float64("gone"), Denied: c.Float64("denied"), Seed: c.Uint64("seed"),
	}
	for _, text := range c.StringSlice("fault") {
		kind, rate, _ := strings.Cut(text, "=")
		share, err := strconv.ParseFloat(rate, 64)
		if err != nil {
			return options, exit.Usagef("write --fault 503-empty=0.05", "%q is not the kind and the rate of a fault", text)
		}
		options.Faults = append(options.Faults, s3sim.Fault{Kind: s3sim.FaultKind(kind), Rate: share})
	}
	return options, nil
}

// parseCertificate loads what --tls-cert and --tls-key name; nil where they name nothing.
func parseCertificate(c *cli.Context) (*tls.Config, error) {
	certFile, keyFile := c.String("tls-cert"), c.String("tls-key")
	if certFile == "" && keyFile == "" {
		return nil, nil
	}
	certificate, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, exit.Usagef("--tls-cert FILE --tls-key FILE, both PEM", "%v", err)
	}
	return &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}, nil
}

// listenError tells an address that cannot be had at the moment from one that is none.
func listenError(err error) error {
	if errors.As(err, new(*os.SyscallError)) {
		return exit.WithHint(err, "--addr 127.0.0.1:0 takes a free port")
	}
	return exit.Usagef("--addr HOST:PORT", "%v", err)
}

// serve serves until ctx ends, which is how it is meant to end.
func serve(ctx context.Context, server *s3sim.Server, l net.Listener, certificate *tls.Config, o s3sim.Options, stdout io.Writer) error {
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

// scanFlags are those with which headcount scan finds the bucket. Keys it takes from the environment.
func scanFlags(url string, o s3sim.Options) string {
	flags := "--endpoint-url " + url + " s3://" + o.Bucket
	if o.AccessKey == "" {
		flags = "--no-sign-request " + flags
	}
	return flags
}
