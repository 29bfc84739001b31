//go:build unix

package store

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A credential_process that fails is named, and what it printed is not.
func TestBrokenProcess(t *testing.T) {
	for _, c := range []struct{ command, want string }{
		{`echo '{"SecretAccessKey":"zzz"'`, "its output is not the JSON document"},
		{`echo '{"Version":1,"AccessKeyId":"zzz","SecretAccessKey":{"zzz":1}}'`, "its output is not the JSON document"},
		{`echo '{"Version":"zzz"}'`, "its output is not the JSON document"},
		{`echo "wrong version in process output (not 1) zzz"`, "its output is not the JSON document"},
		{`echo '{"Version":1,"AccessKeyId":"A","SecretAccessKey":"s","Expiration":"zzz"}'`,
			"its output is not the JSON document"},
		{`echo zzz; echo zzz >&2; exit 1`, "exit status 1"},
		{`echo zzz >&2; kill -9 $$`, "it was killed by a signal"},
		{`echo '{"Version":2,"AccessKeyId":"zzz","SecretAccessKey":"zzz"}'`, "wrong version in process output"},
		{`echo '{"Version":1,"SecretAccessKey":"zzz","SessionToken":"zzz"}'`, "missing AccessKeyId"},
		{`echo '{"Version":1,"AccessKeyId":"zzz"}'`, "missing SecretAccessKey"},
		{`printf %s '{"Version":1,"AccessKeyId":"zzz\nzzz","SecretAccessKey":"zzz"}'`,
			"the access key ID from credential_process"},
		{`/nowhere/zzz zzz`, "exit status 127"},
		{`echo '{"Version":1,"AccessKeyId":" ","SecretAccessKey":"zzz","SessionToken":"zzz"}'`,
			"the keys from credential_process are empty"},
	} {
		t.Run(c.command, func(t *testing.T) {
			stderr := captureStderr(t)
			s := openWith(t, Config{}, inConfig(t, "[default]\ncredential_process = "+c.command+"\n"))
			_, err := s.Credentials(t.Context())
			var failed *CredentialsError
			if !errors.As(err, &failed) || !strings.Contains(failed.Error(), c.want) {
				t.Fatalf("%v, want %s", err, c.want)
			}
			if text := failed.Error() + failed.Hint() + stderr(); strings.Contains(text, "zzz") {
				t.Errorf("a secret: %s", text)
			}
		})
	}
}

// A process that hangs is ended, though a child of it has its standard output.
func TestHangingProcess(t *testing.T) {
	command := "echo zzz; (sleep 30; echo zzz) & wait"
	s := openWith(t, Config{}, inConfig(t, "[default]\ncredential_process = "+command+"\n"))
	source := quietProcess(s.aws, time.Millisecond)
	_, err := newProvider(source, awsFiles{}, nil).Retrieve(t.Context())
	if err == nil || err.Error() != "get credentials: credential_process: credential process timed out" {
		t.Error(err)
	}
}

// The keys of a process assume a role, and that role another one, as the profiles say.
func TestProcessAssumesRoles(t *testing.T) {
	var calls atomic.Int64
	sts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := calls.Add(1)
		if r.ParseForm(); n == 1 && r.Form.Get("RoleSessionName") != "audit" ||
			n == 2 && r.Form.Get("ExternalId") != "ext" {
			t.Errorf("call %d: %v", n, r.Form)
		}
		signature := r.Header.Get("Authorization")
		if signer := []string{"PROCESS", "ROLE1"}[n-1]; !strings.Contains(signature, "="+signer+"/") {
			t.Errorf("call %d is signed by %s", n, signature)
		}
		fmt.Fprintf(w, "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ROLE%d</AccessKeyId>"+
			"<SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>%s</Expiration>"+
			"</Credentials></AssumeRoleResult></AssumeRoleResponse>", n, time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
	}))
	defer sts.Close()
	env := withProfile("p", inConfig(t, roleOf("middle")+"external_id = ext\nregion = eu-west-1\n"+
		"[profile middle]\nrole_arn = arn:aws:iam::123456789012:role/m\nsource_profile = base\nrole_session_name = audit\n"+
		"[profile base]\n"+
		"credential_process = echo '{\"Version\":1,\"AccessKeyId\":\"PROCESS\",\"SecretAccessKey\":\"s\"}'\n"))
	env["AWS_ENDPOINT_URL_STS"] = sts.URL
	if got := accessKey(t, openWith(t, Config{}, env)); got != "ROLE2" {
		t.Errorf("the keys of %s", got)
	}
}
