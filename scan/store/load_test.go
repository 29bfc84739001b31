package store

import (
	"encoding/binary"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"headcount/scan/fault"
)

// inConfig returns the environment of a configuration file with this text.
func inConfig(t *testing.T, text string) map[string]string {
	t.Helper()
	return map[string]string{"AWS_CONFIG_FILE": write(t, text)}
}

// Settings for other SDKs, and values that only those know, change nothing.
func TestForeignSettings(t *testing.T) {
	const keys = "aws_access_key_id = AK\naws_secret_access_key = secret\n"
	for name, env := range map[string]map[string]string{
		"legacy":            inConfig(t, "[default]\nretry_mode = legacy\n"+keys),
		"no value":          inConfig(t, "[default]\nretry_mode =\nmax_attempts =\n"+keys),
		"quoted, indented":  inConfig(t, "[default]\nregion = r\n  retry_mode = \"legacy\" ; the CLI's\n"+keys),
		"nonsense":          inConfig(t, "[default]\nmax_attempts = ten\ndefaults_mode = fast\nretry_mode=?\n"+keys),
		"in both files":     bothFiles(t, "[default]\nretry_mode = legacy\n", "[default]\nretry_mode = legacy\n"+keys),
		"of a profile":      withProfile("p", inConfig(t, "[profile p]\nretry_mode = legacy\n"+keys)),
		"of a keys' source": withProfile("p", inConfig(t, roleOf("base")+"[profile base]\nretry_mode = legacy\n"+keys)),
		"itself the source": withProfile("p", inConfig(t, roleOf("p")+"retry_mode = legacy\n"+keys)),
		"of the CLI": inConfig(t, "[default]\ncli_pager =\ncli_timestamp_format = iso8601\nparameter_validation = false\n"+
			"payload_signing_enabled = true\nsts_regional_endpoints = legacy\ns3_us_east_1_regional_endpoint = legacy\n"+keys),
		"a nested block": inConfig(t, "[default]\ns3 =\n  max_concurrent_requests = 20\n  signature_version = s3v4\n"+
			"  use_accelerate_endpoint = true\n  retry_mode = legacy\n"+keys),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := configured(t, Config{}, env); err != nil {
				t.Error(err)
			}
		})
	}
	for _, variable := range []string{
		"AWS_RETRY_MODE=legacy", "AWS_MAX_ATTEMPTS=ten", "AWS_MAX_ATTEMPTS=-1", "AWS_MAX_ATTEMPTS=99999999999999999999",
		"AWS_DEFAULTS_MODE=fast", "AWS_DISABLE_REQUEST_COMPRESSION=perhaps", "AWS_ENABLE_ENDPOINT_DISCOVERY=perhaps",
		"AWS_ACCOUNT_ID_ENDPOINT_MODE=perhaps", "AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES=many",
	} {
		name, value, _ := strings.Cut(variable, "=")
		s, err := configured(t, Config{}, map[string]string{name: value})
		if err != nil || s.MaxAttempts() != 0 {
			t.Errorf("%s: %v", variable, err)
		}
		if os.Getenv(name) != value {
			t.Errorf("%s is lost", name)
		}
	}
}

func bothFiles(t *testing.T, config, credentials string) map[string]string {
	return map[string]string{
		"AWS_CONFIG_FILE": write(t, config), "AWS_SHARED_CREDENTIALS_FILE": write(t, credentials),
	}
}

func withProfile(profile string, env map[string]string) map[string]string {
	env["AWS_PROFILE"] = profile
	return env
}

// roleOf returns the profile p, whose role the keys of another profile assume.
func roleOf(source string) string {
	return "[profile p]\nrole_arn = arn:aws:iam::123456789012:role/r\nsource_profile = " + source + "\n"
}

// Where --addressing is not given, the style of the profile's nested block counts.
func TestAddressingOfTheProfile(t *testing.T) {
	const files = "[default]\ns3 =\n  addressing_style = virtual\n  endpoint_url = http://h\n" +
		"[profile p]\ns3 = # styles\n\tmax_concurrent_requests = 2\n\taddressing_style = PATH\nregion = r\n" +
		"[profile auto]\ns3 =\n  addressing_style = auto\n[profile wrong]\ns3 =\n  addressing_style = sideways\n" +
		"[profile flat]\naddressing_style = virtual\n"
	endpoint := []string{"http://h:1"}
	for name, c := range map[string]struct {
		cfg       Config
		profile   string
		pathStyle bool
	}{
		"virtual":             {Config{Endpoints: endpoint}, "default", false},
		"path":                {Config{}, "p", true},
		"path, flag":          {Config{Addressing: AddressingVirtual}, "p", false},
		"virtual, flag":       {Config{Addressing: AddressingPath}, "default", true},
		"virtual, flag auto":  {Config{Addressing: AddressingAuto, Endpoints: endpoint}, "default", true},
		"auto":                {Config{Endpoints: endpoint}, "auto", true},
		"auto, AWS":           {Config{}, "auto", false},
		"unknown":             {Config{Endpoints: endpoint}, "wrong", true},
		"not in a block":      {Config{Endpoints: endpoint}, "flat", true},
		"profile by the flag": {Config{Profile: "p"}, "", true},
		"isolated":            {Config{Isolated: true, Endpoints: endpoint}, "default", true},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := configured(
				t,
				c.cfg,
				map[string]string{"AWS_PROFILE": c.profile, "AWS_CONFIG_FILE": write(t, files)},
			)
			if err != nil {
				t.Fatal(err)
			}
			if got := s.Endpoint(0).Client.Options().UsePathStyle; got != c.pathStyle {
				t.Errorf("path style: %v", got)
			}
		})
	}
}

// Where there are no credentials, the reason may be a file that the SDK skips, or half of a pair of variables.
func TestMissingCredentials(t *testing.T) {
	const keys = "[default]\naws_access_key_id = AK\naws_secret_access_key = zzz\n"
	var wide []byte
	for _, unit := range utf16.Encode([]rune("\ufeff" + keys)) {
		wide = binary.LittleEndian.AppendUint16(wide, unit)
	}
	marked, utf16File := write(t, "\ufeff"+keys), write(t, string(wide))
	locked := t.TempDir() // a folder cannot be read as a file
	for name, c := range map[string]struct {
		env          map[string]string
		reason, hint string
	}{
		"a mark": {map[string]string{"AWS_SHARED_CREDENTIALS_FILE": marked}, marked + " begins with a byte order mark",
			"save " + marked},
		"UTF-16": {map[string]string{"AWS_SHARED_CREDENTIALS_FILE": utf16File}, utf16File + " is not in UTF-8",
			"save " + utf16File},
		"a mark in config":   {map[string]string{"AWS_CONFIG_FILE": marked}, marked + " begins with a", "save " + marked},
		"of a named profile": {map[string]string{"AWS_CONFIG_FILE": marked, "AWS_PROFILE": "p"}, marked, "save " + marked},
		"a folder":           {map[string]string{"AWS_SHARED_CREDENTIALS_FILE": locked}, locked + " cannot be read", locked},
		"half a pair": {map[string]string{"AWS_ACCESS_KEY_ID": "zzz"},
			"AWS_ACCESS_KEY_ID is set, and AWS_SECRET_ACCESS_KEY is not", "set AWS_ACCESS_KEY_ID"},
		"the other half": {map[string]string{"AWS_SECRET_ACCESS_KEY": "zzz"},
			"AWS_SECRET_ACCESS_KEY is set, and AWS_ACCESS_KEY_ID is not", "set AWS_ACCESS_KEY_ID"},
		"nothing": {nil, "none are configured (AWS_SHARED_CREDENTIALS_FILE names a file that does not exist)", "set AWS_ACCESS_KEY_ID"},
		"a second factor": {withProfile("p", inConfig(t, roleOf("base")+"mfa_serial = arn:aws:iam::123456789012:mfa/me\n"+
			"[profile base]\n"+strings.TrimPrefix(keys, "[default]\n"))),
			"the role of the profile p wants a code", "aws configure export-credentials --profile p --format env"},
		"a URL with a secret": {map[string]string{"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://zzz:zzz@h:zzz"},
			"AWS_CONTAINER_CREDENTIALS_FULL_URI is not a URL", "AWS_CONTAINER_CREDENTIALS_FULL_URI"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := configured(t, Config{}, c.env)
			if err == nil {
				_, err = s.Credentials(t.Context())
			}
			var failed *CredentialsError
			if !errors.As(err, &failed) || fault.ClassOf(err) != fault.Credentials {
				t.Fatal(err)
			}
			if !strings.HasPrefix(failed.Error(), "get credentials: "+c.reason) ||
				!strings.Contains(failed.Hint(), c.hint) {
				t.Errorf("%v\n%s", failed, failed.Hint())
			}
			if strings.Contains(failed.Error()+failed.Hint(), "zzz") {
				t.Errorf("a secret: %v", failed)
			}
		})
	}
}

// A setting for AWS's endpoints and an endpoint of another store exclude each other.
func TestEndpointVariants(t *testing.T) {
	endpoint := []string{"http://h:1", "http://h:2"}
	for name, c := range map[string]struct {
		endpoints []string
		env       map[string]string
		want      string // in the error; empty: none
	}{
		"FIPS":            {endpoint, map[string]string{"AWS_USE_FIPS_ENDPOINT": "true"}, "asks for a FIPS endpoint"},
		"FIPS, file":      {endpoint, inConfig(t, "[default]\nuse_fips_endpoint = True\n"), "use_fips_endpoint"},
		"dual-stack":      {endpoint, map[string]string{"AWS_USE_DUALSTACK_ENDPOINT": "true"}, "a dual-stack endpoint"},
		"switched off":    {endpoint, map[string]string{"AWS_USE_FIPS_ENDPOINT": "false"}, ""},
		"AWS, FIPS":       {nil, map[string]string{"AWS_USE_FIPS_ENDPOINT": "true"}, ""},
		"AWS, dual-stack": {nil, map[string]string{"AWS_USE_DUALSTACK_ENDPOINT": "true"}, ""},
		"endpoint of the environment": {
			nil, map[string]string{"AWS_USE_FIPS_ENDPOINT": "true", "AWS_ENDPOINT_URL_S3": "http://h"},
			"AWS_USE_FIPS_ENDPOINT=false",
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := configured(t, Config{Endpoints: c.endpoints}, c.env)
			var variant *VariantError
			switch {
			case c.want == "" && err != nil, c.want != "" && !errors.As(err, &variant):
				t.Error(err)
			case c.want != "" && !strings.Contains(variant.Error()+variant.Hint(), c.want):
				t.Errorf("%v: %s", variant, variant.Hint())
			}
		})
	}
}

// Requests that are not signed need no provider: none is asked, whatever is configured.
func TestAnonymousAsksNoProvider(t *testing.T) {
	provider := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Error(r.URL) }))
	defer provider.Close()
	called := filepath.Join(t.TempDir(), "called")
	for name, env := range map[string]map[string]string{
		"metadata service": {"AWS_EC2_METADATA_SERVICE_ENDPOINT": provider.URL, "AWS_EC2_METADATA_DISABLED": "false"},
		"default mode": {"AWS_EC2_METADATA_SERVICE_ENDPOINT": provider.URL, "AWS_EC2_METADATA_DISABLED": "false",
			"AWS_DEFAULTS_MODE": "auto"},
		"container": {"AWS_CONTAINER_CREDENTIALS_FULL_URI": provider.URL},
		"process":   inConfig(t, "[default]\ncredential_process = touch "+called+"\n"),
		"second factor": withProfile("p", inConfig(t, roleOf("base")+"mfa_serial = m\n"+
			"[profile base]\naws_access_key_id = AK\naws_secret_access_key = s\n")),
		"single sign-on": inConfig(t, "[default]\nsso_start_url = "+provider.URL+"\n"),
	} {
		t.Run(name, func(t *testing.T) {
			s := openWith(t, Config{Anonymous: true}, env)
			if err := s.FetchCredentials(t.Context()); err != nil || s.RefreshCredentials(t.Context()) {
				t.Error(err)
			}
			if _, err := os.Stat(called); err == nil {
				t.Error("the process was called")
			}
		})
	}
}

// A path that no shell has expanded begins with the home folder, as for the AWS CLI.
func TestFilesInTheHomeFolder(t *testing.T) {
	home := t.TempDir()
	text := "[default]\naws_access_key_id = HOME\naws_secret_access_key = s\n"
	if err := os.WriteFile(filepath.Join(home, "keys"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("HOME", home)
	t.Setenv("USERPROFILE", home)
	for _, variable := range []string{"AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"} {
		if got := accessKey(t, openWith(t, Config{}, map[string]string{variable: "~/keys"})); got != "HOME" {
			t.Errorf("%s: the keys of %s", variable, got)
		}
	}
}
