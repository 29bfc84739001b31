package store

import (
	"context"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/processcreds"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// quietProcess returns the provider that the SDK makes of a profile with a credential_process, with one difference: the
// standard error of the process is discarded. A broken process may write keys to it, and the SDK passes it on. The AWS
// CLI does not. Where the process has the keys that assume a role, or a chain of roles, so has the result.
func quietProcess(loaded aws.Config, timeout time.Duration) aws.CredentialsProvider {
	var profiles []*config.SharedConfig // the last one has the process
	for _, source := range loaded.ConfigSources {
		if shared, ok := source.(config.SharedConfig); ok {
			for profile := &shared; profile != nil; profile = profile.Source {
				profiles = append(profiles, profile)
			}
		}
	}
	sources := sourcesOf(loaded.Credentials)
	command := processcreds.DefaultNewCommandBuilder{Args: []string{profiles[len(profiles)-1].CredentialProcess}}
	var provider aws.CredentialsProvider = processcreds.NewProviderCommand(
		processcreds.NewCommandBuilderFunc(func(ctx context.Context) (*exec.Cmd, error) {
			cmd, err := command.NewCommand(ctx)
			if err == nil {
				cmd.Stderr = nil
				cmd.WaitDelay = time.Second // for a child of the process that has its standard output
			}
			return cmd, err
		}),
		func(o *processcreds.Options) { o.Timeout, o.CredentialSources = timeout, sources },
	)
	for _, profile := range slices.Backward(profiles) {
		if profile.RoleARN == "" {
			continue
		}
		client := loaded.Copy()
		client.Credentials = provider
		provider = stscreds.NewAssumeRoleProvider(sts.NewFromConfig(client), profile.RoleARN, assumeOptions(profile))
	}
	return aws.NewCredentialsCache(provider)
}

// assumeOptions returns the options by which a profile assumes its role.
func assumeOptions(profile *config.SharedConfig) func(*stscreds.AssumeRoleOptions) {
	return func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName = profile.RoleSessionName
		if d := profile.RoleDurationSeconds; d != nil && *d > stscreds.DefaultDuration {
			o.Duration = *d
		}
		if profile.ExternalID != "" {
			o.ExternalID = aws.String(profile.ExternalID)
		}
	}
}

// isInterrupted reports whether a process ended by the signal that a terminal sends to all its processes.
func isInterrupted(err error) bool {
	text := err.Error()
	return strings.Contains(text, "signal: interrupt") || strings.Contains(text, "exit status 130")
}
