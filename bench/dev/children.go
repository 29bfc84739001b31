package main

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"headcount/bench/engines"
	"headcount/bench/peers/gosdk"
	"headcount/scan"
	"headcount/scan/command"
	"headcount/scan/exit"
)

// floorCommand is the client that engines compares with. engines runs it in a process of its own.
func floorCommand() *cli.Command {
	return &cli.Command{
		Name:   engines.FloorCommand,
		Usage:  "send the same HEAD again and again",
		Hidden: true,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "url",
				Usage: "`URL` of an object that exists, in a store that verifies no signature"},
			&cli.GenericFlag{Name: "connections", Value: command.Int(1, 1, command.WorkersMax),
				Usage: "open `N` connections, each with one request in flight"},
			&cli.GenericFlag{Name: "requests", Value: command.Int[int64](1, 1, 0),
				Usage: "send `N` requests on all connections together"},
			&cli.GenericFlag{Name: "ca-bundle", Value: command.CABundle(),
				Usage: "trust the certificate authorities in this PEM `FILE`"},
		},
		Action: func(c *cli.Context) error {
			cfg := engines.FloorConfig{
				URL: c.String("url"), Connections: command.Get[int](c, "connections"),
				Requests: command.Get[int64](c, "requests"),
				CABundle: command.Get[string](c, "ca-bundle"),
			}
			if err := noArguments(c); err != nil {
				return err
			}
			if !strings.HasPrefix(cfg.URL, "http") {
				return exit.Usagef("--url http://HOST:PORT/BUCKET/KEY", "floor needs the URL of an object")
			}
			result, err := engines.Floor(c.Context, cfg)
			if err != nil {
				return err
			}
			return scan.WrapOutput(json.NewEncoder(command.Stdout(c)).Encode(result))
		},
	}
}

// gosdkCommand is a client of engines and of peers, which run it in a process of its own.
func gosdkCommand() *cli.Command {
	return &cli.Command{
		Name:      gosdk.Command,
		Usage:     "print the metadata of a bucket's objects, with aws-sdk-go-v2 and a pool of goroutines",
		ArgsUsage: "ENDPOINT BUCKET CONCURRENCY",
		Hidden:    true,
		Action: func(c *cli.Context) error {
			pool, err := strconv.Atoi(c.Args().Get(2))
			if c.NArg() != 3 || err != nil || pool < 1 || pool > command.WorkersMax {
				return exit.Usagef("gosdk http://HOST:PORT BUCKET 4",
					"gosdk needs an endpoint, a bucket and a number of goroutines")
			}
			return gosdk.Run(c.Context, gosdk.Config{Endpoint: c.Args().Get(0), Bucket: c.Args().Get(1), Pool: pool},
				command.Stdout(c))
		},
	}
}
