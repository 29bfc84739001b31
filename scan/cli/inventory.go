package cli

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"headcount/output/report"
	"headcount/scan/command"
	"headcount/scan/exit"
	"headcount/scan/field"
	"headcount/scan/list/inventory"
	"headcount/scan/metrics"
)

// inventoryURI is the beginning of the name of a manifest that lies in a bucket.
const inventoryURI = "s3://"

// parseInventory reads which Inventory names the objects. Until it is open, it may have every column.
func parseInventory(c *cli.Context, j *job) error {
	name := command.Get[string](c, "inventory")
	if name == "" {
		return nil
	}
	j.inventory.name = name
	j.known = inventory.AllFields()
	if !strings.HasPrefix(name, inventoryURI) {
		j.names.Inventory = name
	}
	return nil
}

// parseInventoryName reads the value of --inventory: the name of a file, or s3://BUCKET/KEY.
func parseInventoryName(name string) (string, error) {
	const hint = "--inventory FOLDER/manifest.json, or --inventory s3://BUCKET/FOLDER/manifest.json"
	if strings.HasPrefix(name, inventoryURI) {
		if _, key, err := command.ParseURI(name); err != nil || key == "" {
			return "", command.BadValue(hint, "names no object in a bucket")
		}
	}
	if !strings.HasSuffix(name, ".json") {
		return "", command.BadValue(hint, "no manifest.json")
	}
	return name, nil
}

// openInventory opens the Inventory of --inventory, and decides by its columns what needs a HEAD. The caller calls
// done at the end.
func (j *job) openInventory(ctx context.Context, reporter *report.Reporter) (done func(), err error) {
	name := j.inventory.name
	cfg := inventory.Config{
		Manifest: name, Bucket: j.store.Bucket, Prefix: j.scan.Prefix, Versions: j.scan.Versions,
	}
	closeStore := func() {}
	if strings.HasPrefix(name, inventoryURI) {
		if cfg.Fetch, cfg.Manifest, closeStore, err = j.fetchFromBucket(ctx, reporter); err != nil {
			return nil, err
		}
	} else {
		cfg.Fetch = inventory.FromFolder(name)
	}
	opened, err := inventory.Open(ctx, cfg)
	if err != nil {
		closeStore()
		return nil, err
	}
	done = func() {
		opened.Close()
		closeStore()
	}
	j.scan.Keys, j.inventory.created = opened, opened.Created()
	j.known = opened.Fields()
	if j.command == listName && j.chosen == allFields {
		j.options.Fields = slices.DeleteFunc(field.All(), func(f field.Field) bool {
			return f.Name == field.Prefix || !slices.Contains(j.known, f.Name) // no object has a prefix
		})
		j.fields, err = j.format.Fields(&j.options)
	}
	if err == nil {
		err = j.planHeads()
	}
	if err != nil {
		done()
		return nil, err
	}
	j.store.Connections = j.connections()
	reporter.Log.Info("the objects are those of an inventory", "manifest", name,
		"created", j.inventory.created.Format(time.RFC3339), "age", report.Age(time.Since(j.inventory.created)))
	return done, nil
}

// fetchFromBucket opens the bucket of the manifest.
func (j *job) fetchFromBucket(ctx context.Context, reporter *report.Reporter) (
	fetch inventory.Fetch, key string, done func(), err error,
) {
	cfg := j.store
	cfg.Connections = 2 // a file, and the next one
	if cfg.Bucket, key, err = command.ParseURI(j.inventory.name); err != nil {
		return nil, "", nil, err
	}
	opened, err := command.OpenStore(ctx, cfg)
	if err != nil {
		return nil, "", nil, err
	}
	if err := opened.FetchCredentials(ctx); err != nil {
		opened.Close()
		return nil, "", nil, err
	}
	return inventory.FromBucket(inventory.BucketConfig{
		Store: opened, Timeout: j.scan.Timeout, RetryFor: j.scan.RetryFor, Log: reporter.Log,
	}), key, opened.Close, nil
}

// inventoryStats returns what --stats says of the Inventory; nil: there is none.
func (j *job) inventoryStats() *metrics.Inventory {
	if j.inventory.name == "" {
		return nil
	}
	return &metrics.Inventory{
		Manifest: j.inventory.name, Created: j.inventory.created,
		AgeSeconds: time.Since(j.inventory.created).Seconds(),
	}
}

// unlistedError returns the error of list about Fields that its source has not.
func (j *job) unlistedError(missing []string) error {
	const scanSends = "headcount scan sends a HEAD for each object, and prints them"
	names := strings.Join(missing, ", ")
	isPrinted := slices.ContainsFunc(j.fields, func(f field.Field) bool { return slices.Contains(missing, f.Name) })
	switch {
	case j.known != nil:
		return exit.Usagef("add the column to the configuration of the inventory; or "+scanSends,
			"the inventory has no column for %s", names)
	case isPrinted && j.chosen != "":
		return exit.Usagef(scanSends, "--fields %s: no listing has %s", j.chosen, names)
	}
	return exit.Usagef("headcount scan sends a HEAD for each object that passes the LIST's half of the filter",
		"--filter reads %s, which no listing has", names)
}
